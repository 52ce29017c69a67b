#!/usr/bin/env bash
# random-js 2.1.0, chance 1.1.13 (npm): seeds that differ by 2^32 draw the same numbers.
#
# Guess: a whole number that JavaScript holds exactly is a seed of its own, or is refused.
# Seen:  both keep 32 bits: 1 and 2^32 + 1 are one seed, and so are -1 and 2^32 - 1. Fractions are cut off in
#        random-js. So seeds drawn from 53 or 64 bits, or times in milliseconds, don't stay apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    random-js@2.1.0 chance@1.1.13
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { MersenneTwister19937 } = require("random-js");
const Chance = require("chance");

const first = {
    "random-js": (seed) => MersenneTwister19937.seed(seed).next(),
    chance: (seed) => new Chance(seed).random(),
};
for (const [name, draw] of Object.entries(first)) {
    const seen = [1, 2 ** 32 + 1, 2, -1, 2 ** 32 - 1].map(draw);
    console.log(name, "begins with, for 1, 2^32 + 1, 2, -1 and 2^32 - 1:", ...seen);
    assert(seen[0] === seen[1] && seen[3] === seen[4] && new Set(seen).size === 3, "the behaviour has changed");
}
assert.strictEqual(first["random-js"](1.5), first["random-js"](1), "the behaviour has changed");
NODE
node "$folder/look.cjs"
