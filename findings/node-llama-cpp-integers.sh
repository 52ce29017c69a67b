#!/usr/bin/env bash
# node-llama-cpp 3.22.1 (npm): its grammar lets texts through that its own parser refuses.
#
# Guess: what the grammar of a schema allows, parse() of that grammar reads.
# Seen:  an integer may be written 5e-1, which isn't one, and parse() refuses it. With maxLength 2 the
#        grammar allows two characters beyond U+FFFF and parse() counts four.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional --prefix "$folder" \
    node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { getLlama, LlamaJsonSchemaGrammar } from "node-llama-cpp";

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "disabled" });

function allowed(grammar, text) {
    return grammar._testText(text + "\n\n\n\n");
}

function read(grammar, text) {
    try {
        return grammar.parse(text);
    } catch (error) {
        return error.message;
    }
}

const cases = [
    [{ type: "integer" }, "5", true, 5],
    [{ type: "integer" }, "5e-1", true, 'Expected type "integer" but got "number"'],
    [{ type: "string", maxLength: 2 }, '"\u{20000}"', true, "\u{20000}"],
    [{ type: "string", maxLength: 2 }, '"\u{20000}\u{20001}"', true, "Expected at most 2 characters but got 4"],
    [{ type: "string", maxLength: 2 }, '"abc"', false, "Expected at most 2 characters but got 3"],
];
for (const [schema, text, ...expected] of cases) {
    const grammar = new LlamaJsonSchemaGrammar(llama, schema);
    const seen = [allowed(grammar, text), read(grammar, text)];
    console.log(JSON.stringify(schema), text, "allowed:", seen[0], "| read:", seen[1]);
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
