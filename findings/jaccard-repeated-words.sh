#!/usr/bin/env bash
# jaccard 0.4.0 (npm): texts with repeated words have a similarity above 1.
#
# Guess: lists are taken as sets, so an index lies between 0 and 1.
# Seen:  words of the first list count as often as they come, those of the union once: "the the the" and "the" have 3,
#        and the other way round 1. Two empty lists have NaN.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" jaccard@0.4.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { index } = require("jaccard");

const cases = [
    ["a b c", "c d e", 0.2],
    ["the the the", "the", 3],
    ["the", "the the the", 1],
    ["the cat and the dog", "the cat and the dog", 1.25],
];
for (const [a, b, expected] of cases) {
    const seen = index(a.split(" "), b.split(" "));
    console.log(JSON.stringify(a), JSON.stringify(b), "index:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
assert(Number.isNaN(index([], [])), "the behaviour has changed");
NODE
node "$folder/look.cjs"
