#!/usr/bin/env bash
# probability-distributions 0.9.1 (npm): the negative binomial of mean 5 has a mean of 9.
#
# Guess: rnbinom counts the failures before the fifth hit, as R does: 5 on average at 0.5, 0 at least. With mu
#        given, that is the mean.
# Seen:  it counts all draws but the last hit: 9 on average, 4 at least, and with mu 5 as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    probability-distributions@0.9.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const distributions = require("probability-distributions");

const mean = (numbers) => numbers.reduce((sum, number) => sum + number) / numbers.length;
const cases = [
    ["5 hits at 0.5", distributions.rnbinom(40000, 5, 0.5), 9, 4],
    ["5 hits, mean of 5", distributions.rnbinom(40000, 5, undefined, 5), 9, 4],
    ["1 hit, mean of 3", distributions.rnbinom(40000, 1, undefined, 3), 3, 0],
    ["2 hits, mean of 3", distributions.rnbinom(40000, 2, undefined, 3), 4, 1],
];
for (const [name, numbers, expected, least] of cases) {
    console.log(name, "- mean:", mean(numbers).toFixed(2), "least:", Math.min(...numbers));
    assert(Math.abs(mean(numbers) - expected) < 0.15, "the behaviour has changed");
    assert.strictEqual(Math.min(...numbers), least, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
