#!/usr/bin/env bash
# apache-arrow 21.2.0 (npm): small probabilities become others in a column of float16.
#
# Guess: 1e-9, far below the smallest number of float16, becomes 0, and ties go to the even neighbour,
#        as IEEE 754 has it and other libraries of Arrow do.
# Seen:  1e-9 becomes 4.2e-5, 40,000 times as much, 1e-8 becomes -Infinity, 1e-30 about 4.5e-6, without
#        an error. 2049, between 2048 and 2050, becomes 2050.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" apache-arrow@21.2.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Float16, vectorFromArray } from "apache-arrow";

// A number, its float16 by IEEE 754, what came out here.
const cases = [
    [0.1, 0.0999755859375, 0.0999755859375],
    [6e-8, 2 ** -24, 2 ** -24],
    [1e-8, 0, -Infinity],
    [1e-9, 0, 0.000041961669921875],
    [1e-10, 0, 0.00005316734313964844],
    [1e-30, 0, 0.000004470348358154297],
    [2049, 2048, 2050],
];
const seen = vectorFromArray(cases.map(([number]) => number), new Float16()).toJSON();
cases.forEach(([number, right, expected], index) => {
    console.log(number, "| IEEE 754:", right, "| seen:", seen[index]);
    assert.strictEqual(seen[index], expected, "the behaviour has changed");
});
NODE
node "$folder/look.mjs"
