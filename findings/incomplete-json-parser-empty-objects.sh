#!/usr/bin/env bash
# incomplete-json-parser 1.1.5 (npm): a beginning with an empty object in it is refused.
#
# Guess: every beginning of a document gives what is there so far, empty objects and lists included.
# Seen:  behind {} within a list or an object the parser says it expected a quotation mark; [] and {"b":2} at
#        the same place are taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    incomplete-json-parser@1.1.5
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { IncompleteJsonParser } from "incomplete-json-parser";

const tried = (text) => {
    try {
        return JSON.stringify(IncompleteJsonParser.parse(text));
    } catch (error) {
        return error.message;
    }
};
// A beginning, what came out here.
const cases = [
    ["[[],1", "[[],1]"],
    ['[{"b":2},1', '[{"b":2},1]'],
    ["[{},1", 'Expected ", got }'],
    ['{"arguments":{},"name":"f', 'Expected ", got }'],
];
for (const [beginning, expected] of cases) {
    const seen = tried(beginning);
    console.log(beginning, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
