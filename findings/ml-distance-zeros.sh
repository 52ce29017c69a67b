#!/usr/bin/env bash
# ml-distance 5.0.0 (npm): a distribution with a 0 has no divergence from itself.
#
# Guess: a probability of 0 adds nothing, so Jensen-Shannon is 0 for equal distributions and ln 2 for ones that share
#        nothing.
# Seen:  both are NaN as soon as a 0 stands anywhere; so are Kullback-Leibler, K divergence and Topsoe, and the tokens
#        that top-k cut have probabilities of 0. Without a 0 all are right; hellinger and fidelity are always.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" ml-distance@5.0.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { distance } = require("ml-distance");

const full = [0.5, 0.3, 0.2];
const other = [0.2, 0.3, 0.5];
const cut = [0.5, 0.5, 0];
const apart = [0, 0, 1];
for (const name of ["kullbackLeibler", "jensenShannon", "kdivergence", "topsoe", "fidelity"]) {
    const seen = [[full, full], [full, other], [cut, cut], [cut, apart]].map(([p, q]) => distance[name](p, q));
    console.log(name, "equal, unlike, equal with a 0, nothing shared:", seen.join(", "));
    assert(seen[0] < 1e-12 || name === "fidelity");
    assert(Number.isFinite(seen[1]));
    const expected = name === "fidelity" ? [1, 0] : [NaN, NaN];
    assert.deepStrictEqual(seen.slice(2), expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
