#!/usr/bin/env bash
# string-similarity-js 2.1.4 (npm): the answer B isn't similar to B at all.
#
# Guess: equal texts have a similarity of 1, as they have by string-comparison's Dice coefficient.
# Seen:  texts of one character have 0, equal or not, and so does every text compared with one: the
#        pairs of characters that are counted aren't there. `yes` and `yes` have 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    string-similarity-js@2.1.4 string-comparison@1.3.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { default: comparison } = require("string-comparison");
const { stringSimilarity } = require("string-similarity-js");

for (const [text, expected] of [["B", 0], ["4", 0], ["是", 0], ["42", 1], ["yes", 1]]) {
    const seen = stringSimilarity(text, text);
    const other = comparison.diceCoefficient.similarity(text, text);
    console.log(text, "and", text, "have", seen, "by string-comparison", other);
    assert.equal(seen, expected, "the behaviour has changed");
    assert.equal(other, 1);
}
NODE
node "$folder/look.cjs"
