#!/usr/bin/env bash
# best-effort-json-parser 1.5.1 (npm): while a document is written, 1e-7 is a number and a string.
#
# Guess: the beginning of a document has the numbers that the whole one has, but for the last.
# Seen:  [1e-7,2 is [1, "e-7", 2], and {"p":1.5e-7,"t":"a has p = 1.5 and a name e-7,"t". Once the last bracket
#        is there, all is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    best-effort-json-parser@1.5.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { parse } from "best-effort-json-parser";

// A beginning, what it stands for, what came out here.
const cases = [
    ["[1e-7,2", "[1e-7,2]", '[1,"e-7",2]'],
    ["[1E5,", "[100000]", '[1,"E5"]'],
    ['{"p":1.5e-7,"t":"a', '{"p":1.5e-7,"t":"a"}', '{"p":1.5,"e-7,\\"t\\"":"a"}'],
    ["[1e-7,2]", "[1e-7,2]", "[1e-7,2]"],
];
for (const [beginning, right, expected] of cases) {
    const seen = JSON.stringify(parse(beginning));
    console.log(beginning, "| stands for:", right, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
