#!/usr/bin/env bash
# seeded-rand 4.0.0 (npm): no Poisson number is drawn beyond about 750, whatever the mean.
#
# Guess: `poisson(lambda)` has the mean lambda, as its page says.
# Seen:  up to 700 it has; of 1,000 and of 5,000 the mean is 745, as exp(-lambda) is 0 there and a product of
#        uniform numbers reaches it after so many. d3-random 3.0.2 draws all of them right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" seeded-rand@4.0.0 d3-random@3.0.2
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { randomPoisson } from "d3-random";
import Srand from "seeded-rand";

const draws = 2000;
const mean = (draw) => Array.from({ length: draws }, draw).reduce((sum, x) => sum + x, 0) / draws;
const source = new Srand(1);
for (const [lambda, expected] of [[3, 3], [50, 50], [700, 700], [1000, 745], [5000, 745]]) {
    const seen = mean(() => source.poisson(lambda));
    const right = mean(randomPoisson(lambda));
    console.log("Poisson of mean", lambda, "seeded-rand:", seen, "d3-random:", right);
    assert(Math.abs(seen - expected) < 0.2 * Math.sqrt(expected), "the behaviour has changed");
    assert(Math.abs(right - lambda) < 0.2 * Math.sqrt(lambda));
}
NODE
node "$folder/look.mjs"
