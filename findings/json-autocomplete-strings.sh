#!/usr/bin/env bash
# json-autocomplete 0.1.3 (npm): brackets within a string are closed in the string.
#
# Guess: the beginning of a document is completed by ending what is open, so a string keeps its text.
# Seen:  where a string holds `{`, its text is taken for an object's and ended as one: `f(x) { return` becomes
#        `f(x) { return: null}`. Complete documents that hold `{}`, in a string or not, are spoiled too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" json-autocomplete@0.1.3
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const jsonAutocomplete = require("json-autocomplete");

const cases = [
    ['{"name": "Appl', '{"name": "Appl"}'],
    ['{"code": "f(x) { return', '{"code": "f(x) { return: null}"}'],
    ['{"text": "see [1', '{"text": "see [1]"}'],
    ['{"text": "He said: {hi}"}', '{"text": "He said: {hi}"}": null }"}'],
    ['{"items": [1, 2]}', '{"items": [1, 2]}'],
    ["{}", "{}: null}"],
];
for (const [text, expected] of cases) {
    const seen = jsonAutocomplete(text);
    console.log(text, "is completed as", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
