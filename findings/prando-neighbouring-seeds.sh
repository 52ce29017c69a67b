#!/usr/bin/env bash
# prando 6.0.1 (npm): the seeds 1 to 1,000 begin alike, and one seed draws 0.5 without end.
#
# Guess: seeds give unrelated streams, from the first number on.
# Seen:  the first number of the seeds 1 to 1,000 lies between 0.500 and 0.562, rising with the seed; the second
#        spreads. The seed 2^32 gives 0.5 without end; 0, 1 and 1.5 are one seed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    prando@6.0.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { default: Prando } = require("prando");

const draws = (seed, n) => {
    const stream = new Prando(seed);
    return Array.from({ length: n }, () => stream.next());
};
const seeds = Array.from({ length: 1000 }, (_, index) => index + 1);
for (const place of [0, 1]) {
    const numbers = seeds.map((seed) => draws(seed, 2)[place]);
    const range = [Math.min(...numbers), Math.max(...numbers)].map((number) => number.toFixed(3));
    console.log("number", place + 1, "of the seeds 1 to 1,000 lies between", ...range);
    assert.deepStrictEqual(range, [["0.500", "0.562"], ["0.004", "0.994"]][place], "the behaviour has changed");
}
const dull = new Set(draws(2 ** 32, 100).map((number) => number.toFixed(6)));
console.log("the seed 2^32 draws", ...dull);
assert.deepStrictEqual([...dull], ["0.500000"], "the behaviour has changed");
for (const seed of [0, 1.5]) assert.deepStrictEqual(draws(seed, 9), draws(1, 9), "the behaviour has changed");
NODE
node "$folder/look.cjs"
