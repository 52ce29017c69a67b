#!/usr/bin/env bash
# zod 4.6.7 (npm), ajv 8.20.0 (npm): keywords of a JSON schema that names no type do nothing.
#
# Guess: `z.fromJSONSchema` holds a keyword or refuses it, as it refuses `not` and `if`.
# Seen:  without a type beside them bounds and required names are dropped in silence, so allOf of an integer from 1 and
#        of `maximum: 5` allows 9, and anyOf of two required names allows neither. A required name that `properties`
#        doesn't list is dropped with a type too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    zod@4.6.7 ajv@8.20.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import Ajv from "ajv/dist/2020.js";
import { z } from "zod";

const a = { a: { type: "integer" }, b: { type: "integer" } };
const cases = [
    [{ type: "integer", minimum: 5 }, 4, false],
    [{ minimum: 5 }, 4, true],
    [{ required: ["a"] }, {}, true],
    [{ type: "object", required: ["a"] }, {}, true],
    [{ type: "object", properties: a, required: ["a"] }, {}, false],
    [{ allOf: [{ type: "integer", minimum: 1 }, { maximum: 5 }] }, 9, true],
    [{ allOf: [{ type: "integer", minimum: 1 }, { type: "integer", maximum: 5 }] }, 9, false],
    [{ type: "object", properties: a, anyOf: [{ required: ["a"] }, { required: ["b"] }] }, {}, true],
];

const ajv = new Ajv({ strict: false });
for (const [schema, value, expected] of cases) {
    const right = ajv.validate(schema, value);
    const seen = z.fromJSONSchema(schema).safeParse(value).success;
    console.log(JSON.stringify(schema), JSON.stringify(value), "valid:", right, "allowed:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
    assert.strictEqual(right !== seen, expected);
}
assert.throws(() => z.fromJSONSchema({ not: { type: "string" } }));
NODE
node "$folder/look.mjs"
