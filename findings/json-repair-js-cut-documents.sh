#!/usr/bin/env bash
# json-repair-js 1.0.0 (npm): in a document that was cut off, true, false and null are texts.
#
# Guess: a document without its last brace has the values that it has with it.
# Seen:  true, false and null become "true", "false" and "null", so a false flag counts as set; `\n`, `\"` and `\\` stay
#        two characters. With the brace all are right. Numbers are right in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" json-repair-js@1.0.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { loads } = require("json-repair-js");

const whole = '{"done": false, "error": null, "cost": 1.5, "text": "a\\nb \\"c\\""}';
const right = { done: false, error: null, cost: 1.5, text: 'a\nb "c"' };
const cut = { done: "false", error: "null", cost: 1.5, text: 'a\\nb \\"c\\"' };
for (const [text, expected] of [[whole, right], [whole.slice(0, -1), cut], ["[true, false", ["true", "false"]]]) {
    const seen = loads(text);
    console.log(text, "is read as", seen);
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
