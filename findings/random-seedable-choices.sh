#!/usr/bin/env bash
# random-seedable 1.0.8 (npm): with its LCG, choices alternate without end.
#
# Guess: `choice` of a list draws each element anew, from any of the generators, which its page calls of high quality.
# Seen:  by the LCG, of two elements the other one always comes next, and of four they come in a fixed round, since
#        `choice` takes the lowest bits, whose period is that short. `bool` takes the highest and does well, and so do
#        the other generators.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" random-seedable@1.0.8
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import * as generators from "random-seedable";

const names = ["LCG", "PCG", "MersenneTwister", "XORShift", "XORShift64", "XORShift128", "XORShift128Plus", "XORWow"];
const draws = 2000;
for (const name of names) {
    for (const length of [2, 4]) {
        const list = Array.from({ length }, (_, index) => index);
        const source = new generators[name](12345);
        const chosen = Array.from({ length: draws }, () => source.choice(list));
        const repeated = chosen.filter((x, i) => x === chosen[i + length]).length / (draws - length);
        console.log(name, "of", length, chosen.slice(0, 20).join(""), "equal", length, "draws later:", repeated);
        assert(name === "LCG" ? repeated === 1 : Math.abs(repeated - 1 / length) < 0.06, "the behaviour has changed");
    }
}
NODE
node "$folder/look.mjs"
