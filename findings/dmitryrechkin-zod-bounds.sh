#!/usr/bin/env bash
# @dmitryrechkin/json-schema-to-zod 1.0.1 (npm), ajv 8.20.0 (npm): bounds, lengths, patterns and constants are dropped.
#
# Guess: what a JSON schema refuses, the Zod schema refuses, or the conversion does.
# Seen:  4 is an integer of at least 5, "a" a text of at least two letters, 6 the constant 5 and 3 one of 1 and 2. Other
#        names are refused where the schema allows them. Types, required names and texts of an enum hold.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @dmitryrechkin/json-schema-to-zod@1.0.1 ajv@8.20.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { JSONSchemaToZod } from "@dmitryrechkin/json-schema-to-zod";
import Ajv from "ajv/dist/2020.js";

const a = { a: { type: "integer" } };
const cases = [
    [{ type: "integer", minimum: 5 }, 4, true],
    [{ type: "number", exclusiveMaximum: 1 }, 1, true],
    [{ type: "string", minLength: 2 }, "a", true],
    [{ type: "string", pattern: "b+" }, "ac", true],
    [{ const: 5 }, 6, true],
    [{ enum: [1, 2] }, 3, true],
    [{ not: { type: "string" } }, "a", true],
    [{ type: "object", properties: a, required: ["a"] }, { a: 1, b: 2 }, false],
    [{ type: "object", properties: a, required: ["a"] }, {}, false],
    [{ type: "string", enum: ["a", "b"] }, "c", false],
];

const ajv = new Ajv({ strict: false });
for (const [schema, value, expected] of cases) {
    const right = ajv.validate(schema, value);
    const seen = JSONSchemaToZod.convert(schema).safeParse(value).success;
    console.log(JSON.stringify(schema), JSON.stringify(value), "valid:", right, "allowed:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
    assert.strictEqual(right !== seen, expected || Boolean(value.b));
}
NODE
node "$folder/look.mjs"
