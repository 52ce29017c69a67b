#!/usr/bin/env bash
# random-weighted-choice 0.1.4 (npm): at temperature 0 it still draws, and at 100 the odds are reversed.
#
# Guess: its temperature is that of sampling: at 0 the heaviest comes always, as the README calls it
#        deterministic, and a high one makes all alike.
# Seen:  at 0 weights of 4, 3, 2, 1 come in about 58, 33, 9 and 0 %; 50 draws by weight; at 100 the
#        lightest comes in 40 % and the heaviest in 10 %.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" random-weighted-choice@0.1.4
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import choose from "random-weighted-choice";

const table = [4, 3, 2, 1].map((weight) => ({ id: `of ${weight}`, weight }));
const draws = 20_000;
const seen = {};
for (const temperature of [0, 50, 100]) {
    const counts = Object.fromEntries(table.map(({ id }) => [id, 0]));
    for (let i = 0; i < draws; i++) counts[choose(table, temperature)] += 1;
    seen[temperature] = Object.values(counts).map((count) => count / draws);
    console.log("temperature", temperature, "shares of weights 4, 3, 2, 1:", seen[temperature]);
}
const near = (shares, expected) => shares.every((share, i) => Math.abs(share - expected[i]) < 0.03);
assert(near(seen[0], [0.58, 0.335, 0.085, 0]), "the behaviour has changed");
assert(near(seen[50], [0.4, 0.3, 0.2, 0.1]), "the behaviour has changed");
assert(near(seen[100], [0.1, 0.2, 0.3, 0.4]), "the behaviour has changed");
NODE
node "$folder/look.mjs"
