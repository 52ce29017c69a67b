#!/usr/bin/env bash
# jsonrepair 3.15.0 (npm): a string of code that isn't finished is refused, or becomes names and values.
#
# Guess: a document whose last string isn't finished is repaired by its quotation mark and its brackets.
# Seen:  with an open brace in the string there is an error; behind an escaped quotation mark and a comma the
#        rest of the string is a name with an object; a closing brace at its end is lost. In between true is the
#        string "tr".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    jsonrepair@3.15.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { jsonrepair } from "jsonrepair";

const tried = (text) => {
    try {
        return jsonrepair(text);
    } catch (error) {
        return error.message;
    }
};
// A beginning, what came out here.
const cases = [
    ['{"code":"let x = 5', '{"code":"let x = 5"}'],
    ['{"code":"f() {', 'Unexpected character "{" at position 13'],
    ['{"code":"f()}', '{"code":"f()"}'],
    ['{"t":"He said: \\"go\\", then {', '{"t":"He said: \\"go\\"", "then": {}}'],
    ['{"ok":tr', '{"ok":"tr"}'],
];
for (const [beginning, expected] of cases) {
    const seen = tried(beginning);
    console.log(beginning, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
