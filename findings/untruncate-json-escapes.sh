#!/usr/bin/env bash
# untruncate-json 0.0.1 (npm): strings with a \u escape next to another escape make no JSON.
#
# Guess: the beginning of any JSON document becomes valid JSON, escapes taken into account, as its page promises; a
#        whole document stays as it is.
# Seen:  behind \u00e9 or the first half of \ud83d\ude00 an escape that isn't finished isn't taken away, so JSON.parse
#        refuses it. The whole document "\n\u00e9" gets a quotation mark too many.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    untruncate-json@0.0.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const untruncate = require("untruncate-json").default;

function fails(document) {
    JSON.parse(document);
    const cuts = Array.from({ length: document.length }, (_, at) => document.slice(0, at + 1));
    return cuts.filter((cut) => {
        try {
            JSON.parse(untruncate(cut));
            return false;
        } catch {
            return true;
        }
    });
}

const cases = [
    [String.raw`"\ud83d\ude00"`, [8, 9, 10, 11, 12]],
    [String.raw`"\u00e9\n"`, [8]],
    [String.raw`"\n\u00e9"`, [10]],
    [String.raw`"\u00e9x\n"`, []],
    [String.raw`{"a": [1.5e-3, true, "x\u00e9y"]}`, []],
];
for (const [document, expected] of cases) {
    const seen = fails(document);
    console.log(document, "cuts that fail:", seen);
    const lengths = seen.map((cut) => cut.length);
    assert.deepStrictEqual(lengths, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
