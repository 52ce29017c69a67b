#!/usr/bin/env bash
# json-schema-to-zod 2.8.1, zod 4.6.7 (npm): the schema made of `const: {"a": 1}` refuses {"a": 1}.
#
# Guess: what a JSON schema allows, the Zod schema allows; keywords that it can't hold are refused.
# Seen:  constants and enums of objects and lists are compared by identity, so nothing fits. Beside patternProperties
#        no other name may come. prefixItems, contains, minProperties, propertyNames and dependentRequired are left
#        out in silence, and so are required names that properties doesn't list: their values are dropped.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    json-schema-to-zod@2.8.1 zod@4.6.7 ajv@8.20.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import Ajv2020 from "ajv/dist/2020.js";
import { jsonSchemaToZod } from "json-schema-to-zod";
import { z } from "zod";

const ajv = new Ajv2020.default({ strict: false });
const a = { type: "integer" };
const cases = [
    [{ const: { a: 1 } }, { a: 1 }, true, false],
    [{ enum: [[1], "x"] }, [1], true, false],
    [{ enum: [[1], "x"] }, "x", true, true],
    [{ type: "object", patternProperties: { "^x": a } }, { x: 1, y: "s" }, true, false],
    [{ type: "array", prefixItems: [a] }, ["s"], false, true],
    [{ type: "array", contains: a }, ["s"], false, true],
    [{ type: "object", minProperties: 1 }, {}, false, true],
    [{ type: "object", propertyNames: { pattern: "^a" } }, { b: 1 }, false, true],
    [{ type: "object", dependentRequired: { a: ["b"] } }, { a: 1 }, false, true],
    [{ type: "object", properties: { a }, required: ["a", "b"] }, { a: 1 }, false, true],
    [{ type: "object", properties: { a }, required: ["a", "b"] }, { a: "s", b: 1 }, false, false],
];
for (const [schema, value, right, expected] of cases) {
    const { success } = new Function("z", `return ${jsonSchemaToZod(schema)}`)(z).safeParse(value);
    console.log(JSON.stringify(schema), JSON.stringify(value), "JSON Schema:", right, "Zod:", success);
    assert.strictEqual(ajv.validate(schema, value), right);
    assert.strictEqual(success, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
