#!/usr/bin/env bash
# node-llama-cpp 3.22.1 (npm): a schema that it doesn't know allows the text null alone.
#
# Guess: keywords of JSON Schema that the grammar can't hold are refused.
# Seen:  {}, anyOf, allOf and not become null; minimum, pattern, multipleOf and uniqueItems are left out, so 3
#        is an integer of at least 5. Listed names are all required, with `required: []` too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional --prefix "$folder" \
    node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { getLlama, LlamaJsonSchemaGrammar } from "node-llama-cpp";

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "disabled" });
const integer = { type: "integer" };
// A schema, a text that it allows or not, and whether the grammar does.
const cases = [
    [{}, "5", false],
    [{}, "null", true],
    [{ anyOf: [integer] }, "5", false],
    [{ anyOf: [integer] }, "null", true],
    [{ allOf: [integer] }, "null", true],
    [{ oneOf: [integer] }, "5", true],
    [{ oneOf: [integer] }, "null", false],
    [{ type: "integer", minimum: 5 }, "3", true],
    [{ type: "integer", multipleOf: 5 }, "3", true],
    [{ type: "string", pattern: "^a+$" }, '"b"', true],
    [{ type: "array", items: { type: "boolean" }, uniqueItems: true }, "[true, true]", true],
    [{ type: "object", properties: { a: integer }, required: [] }, "{}", false],
];
for (const [schema, text, expected] of cases) {
    const seen = new LlamaJsonSchemaGrammar(llama, schema)._testText(text + "\n\n\n\n");
    console.log(JSON.stringify(schema), text, seen ? "allowed" : "not allowed");
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
