#!/usr/bin/env bash
# okapibm25 1.4.1 (npm): a word is found inside other words.
#
# Guess: BM25 counts words, so a text that lacks the word asked for scores 0.
# Seen:  it counts the places where the word's letters stand: for "at" a text of "cat", "sat" and "mat" scores 1, a text
#        that has the word scores less, and "form" finds "information". A dot is any character, so that "345" scores
#        more than "3.5" for "3.5"; "C++" is an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" okapibm25@1.4.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { default: score } = require("okapibm25");

const cases = [
    ["at", ["cat sat mat", "look at it", "one two three"], (first, second) => first > second && second > 0],
    ["form", ["information", "form", "other"], (first, second) => first === second && first > 0],
    ["3.5", ["version 345", "version 3.5", "version 4"], (first, second) => first > second && second > 0],
    ["form", ["fact", "form", "other"], (first, second) => first === 0 && second > 0],
];
for (const [word, texts, expected] of cases) {
    const seen = score(texts, [word]);
    console.log(word, "in", texts, "scores", seen.map((x) => x.toFixed(3)).join(", "));
    assert(expected(...seen), "the behaviour has changed");
}
assert.throws(() => score(["C++ and C"], ["C++"]), SyntaxError, "the behaviour has changed");
NODE
node "$folder/look.cjs"
