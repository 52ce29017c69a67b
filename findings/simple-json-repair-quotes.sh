#!/usr/bin/env bash
# simple-json-repair 2.0.0 (npm): valid documents with curved quotation marks are changed.
#
# Guess: a document that is valid stays as it is.
# Seen:  a curved mark ends a string that a straight one began, so `"She said “yes” at once"` becomes "She said ", a
#        name "yes" and its value; in a list one element becomes three. jsonrepair 3.15.0, whose page it shows, keeps
#        them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" simple-json-repair@2.0.0 jsonrepair@3.15.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { jsonrepair } = require("jsonrepair");
const simple = require("simple-json-repair");

const repair = simple.jsonrepair ?? simple.default ?? simple;
const cases = [
    ['{"text": "She said “yes” at once", "n": 1}', { text: "She said ", yes: " at once", n: 1 }],
    ['["“Yes,” she said."]', ["", "Yes", " she said."]],
    ['["it’s", "‘b’"]', ["it’s", "‘b’"]],
];
for (const [text, expected] of cases) {
    const seen = JSON.parse(repair(text));
    console.log(text, "is repaired as", JSON.stringify(seen));
    assert.deepStrictEqual(JSON.parse(jsonrepair(text)), JSON.parse(text));
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
