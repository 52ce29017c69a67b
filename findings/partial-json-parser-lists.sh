#!/usr/bin/env bash
# partial-json-parser 1.2.2 (npm): of a list that isn't finished only the first element is there.
#
# Guess: the beginning of a list has the elements that are finished; null is read where true is.
# Seen:  [1,2,3, and ["a","b", have one element each until the bracket comes. A document that holds null is
#        refused, finished or not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    partial-json-parser@1.2.2
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import parse from "partial-json-parser";

const tried = (text) => {
    try {
        return JSON.stringify(parse(text));
    } catch (error) {
        return error.message.trim();
    }
};
// A beginning, what came out here.
const cases = [
    ['{"a":true,"b":"x"', '{"a":true,"b":"x"}'],
    ["[1,2,3,", "[1]"],
    ['["a","b",', '["a"]'],
    ["[1,2,3]", "[1,2,3]"],
    ['{"a":null,"b":"x"', "Invalid token:"],
    ['{"a":null}', "Invalid token:"],
];
for (const [beginning, expected] of cases) {
    const seen = tried(beginning);
    console.log(beginning, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
