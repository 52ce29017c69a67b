#!/usr/bin/env bash
# ml-stat 1.3.3 (npm): the weighted mean of 1, 2 and 3 is 9.
#
# Guess: weights of 1, 1, 2 give a mean of 2.25 and a variance below 1.
# Seen:  weightedMean doesn't divide by the weights' sum, so it's 9, and the variance around it 74. Weights of 1
#        each give 6 and 25. Only weights that add up to 1 are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    ml-stat@1.3.3
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { array } = require("ml-stat");

const cases = [
    [[1, 1, 2], 9, 74],
    [[1, 1, 1], 6, 25],
    [[0.25, 0.25, 0.5], 2.25, 1.1],
];
for (const [weights, ...expected] of cases) {
    const seen = [array.weightedMean([1, 2, 3], weights), array.weightedVariance([1, 2, 3], weights)];
    console.log("1, 2, 3 with weights", weights.join(", "), "- mean:", seen[0], "variance:", seen[1]);
    seen.forEach((number, at) => assert(Math.abs(number - expected[at]) < 1e-9, "the behaviour has changed"));
}
NODE
node "$folder/look.cjs"
