#!/usr/bin/env bash
# bleu-score 1.0.4 (npm): a text about a constructor has no BLEU.
#
# Guess: a text equal to its reference scores 1, whatever its words are.
# Seen:  with the word constructor, toString or valueOf in it the score is NaN, as words are counted in
#        an object that has these names already; other words score 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" bleu-score@1.0.4
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import bleuScore from "bleu-score";

for (const word of ["function", "constructor", "toString", "valueOf"]) {
    const text = `the ${word} is called once`;
    const seen = bleuScore.bleu(text, text, 4);
    console.log(JSON.stringify(text), "against itself:", seen);
    assert(word === "function" ? seen === 1 : Number.isNaN(seen), "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
