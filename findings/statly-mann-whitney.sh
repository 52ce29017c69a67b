#!/usr/bin/env bash
# statly 0.0.1 (npm): the p-value of its Mann-Whitney test is another one.
#
# Guess: samples of 1 to 5 and 6 to 10 have p = 2/252 = 0.008 by the test of Mann and Whitney.
# Seen:  0.031, one half to the power of the samples' length whatever the number of orders, and 0.001 for 0.00001 of ten
#        each. Samples of ten from one distribution are below 0.05 in fewer than 2 of 100 cases. The area is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" statly@0.0.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { uTest } = require("statly");

const run = (length, first) => Array.from({ length }, (_, index) => first + index);
// Of all orders of two samples that don't overlap, two are as extreme.
const exact = (n) => 2 / run(n, 1).reduce((product, k) => (product * (n + k)) / k, 1);
for (const n of [3, 5, 10]) {
    const { p, auc } = uTest(run(n, 1), run(n, n + 1));
    console.log("two samples of", n, "without overlap: p seen", p, "exact", exact(n).toPrecision(3));
    assert.strictEqual(auc, 0);
    assert.strictEqual(p, 0.5 ** n, "the behaviour has changed");
}
const samples = 1000;
let small = 0;
for (let index = 0; index < samples; index++) {
    const draw = () => Array.from({ length: 10 }, Math.random);
    if (uTest(draw(), draw()).p < 0.05) small += 1;
}
console.log("equal distributions, p below 0.05:", small, "of", samples);
assert(small < 20, "the behaviour has changed");
NODE
node "$folder/look.cjs"
