#!/usr/bin/env bash
# simple-statistics 7.12.1 (npm): no normal tail is below 0.001.
#
# Guess: cumulativeStdNormalProbability(-10) is about 1e-23, as probit(1e-6) is about -4.75.
# Seen:  it ends at a table of four digits: from z = -3.08 on the tail is 0.001, for -4 (3.2e-5) and for -10
#        too, so no correction for many comparisons leaves anything significant.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    simple-statistics@7.12.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { cumulativeStdNormalProbability as below, probit } from "simple-statistics";

// z, the probability below it, what came out here.
const cases = [
    [-1.96, 0.024998, 0.025],
    [-3.09, 0.0010008, 0.001],
    [-3.29, 0.00050094, 0.001],
    [-4, 0.000031671, 0.001],
    [-10, 7.6e-24, 0.001],
];
for (const [z, right, expected] of cases) {
    const seen = below(z);
    console.log("below", z, "| right:", right, "| seen:", seen);
    assert(Math.abs(seen - expected) < 1e-9, "the behaviour has changed");
}
assert(Math.abs(probit(1e-6) + 4.75) < 0.02, "the behaviour has changed");
NODE
node "$folder/look.mjs"
