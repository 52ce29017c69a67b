#!/usr/bin/env bash
# elo-rank 1.0.4 (npm): a model that wins 55 of 100 games is rated as one that wins 62.
#
# Guess: with a K of 4, as leaderboards of models have it, the rating settles at the share of games
#        that is won.
# Seen:  each change is rounded to whole points, so a win is worth 2 and a loss 2 until 1.5 is
#        reached: 55 and 60 of 100 have one rating, 90 points ahead where 35 and 70 are right. Elo's
#        formula without rounding has those.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" elo-rank@1.0.4
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import Elo from "elo-rank";

const K = 4;
const elo = new Elo(K);
const exact = (expected, score, rating) => rating + K * (score - expected);
const rounded = (...values) => elo.updateRating(...values);

/** How far a model that wins so many of each 20 games is ahead, on average over the last half of 4,000 games. */
function lead(wins, update) {
    let [a, b, sum] = [1500, 1500, 0];
    for (let game = 0; game < 4000; game++) {
        const score = Math.floor(((game + 1) * wins) / 20) - Math.floor((game * wins) / 20);
        const [forA, forB] = [elo.getExpected(a, b), elo.getExpected(b, a)];
        [a, b] = [update(forA, score, a), update(forB, 1 - score, b)];
        if (game >= 2000) sum += a - b;
    }
    return sum / 2000;
}

for (const [wins, right] of [[11, 35], [12, 70]]) {
    const [seen, plain] = [lead(wins, rounded), lead(wins, exact)];
    console.log(wins, "wins of 20 are", seen.toFixed(1), "points ahead, without rounding", plain.toFixed(1));
    assert(Math.abs(plain - right) < 4);
    assert(Math.abs(seen - 90) < 6, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
