#!/usr/bin/env bash
# nano-json-stream-parser 0.1.2 (npm): a document that holds null never comes.
#
# Guess: its page says that invalid JSON is ignored, so every valid document is passed on.
# Seen:  documents with a null anywhere are ignored, among them each chunk of a chat completion before the last, as its
#        finish_reason is null. Those with true, false, numbers in any notation and escapes come.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" nano-json-stream-parser@0.1.2
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const reader = require("nano-json-stream-parser");

const chunk = (reason) => JSON.stringify({ choices: [{ delta: { content: "hi" }, finish_reason: reason }] });
const cases = [
    ["[true, false, -1.5e-7]", true],
    ['{"text": "a\\n\\u00e9"}', true],
    ["[null]", false],
    ['{"a": 1, "b": null}', false],
    [chunk(null), false],
    [chunk("stop"), true],
];
for (const [text, expected] of cases) {
    const seen = [];
    reader((value) => seen.push(value))(text);
    console.log(text, seen.length ? "comes" : "never comes");
    assert.deepStrictEqual(seen, expected ? [JSON.parse(text)] : [], "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
