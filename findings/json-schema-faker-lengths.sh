#!/usr/bin/env bash
# json-schema-faker 0.6.3 (npm): a list of at least three is made empty.
#
# Guess: what is made for a schema fits the schema, and each call makes another value.
# Seen:  without `items` a list is always [], whatever minItems says; `contains` gives one element for two; names take
#        no notice of propertyNames, patterns of (?!…); half of what `oneOf` gives fits both sides. Without a seed
#        each call gives the same value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    json-schema-faker@0.6.3 ajv@8.20.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import Ajv2020 from "ajv/dist/2020.js";
import { generate } from "json-schema-faker";

const ajv = new Ajv2020.default({ strict: false });
const integers = { type: "array", items: { type: "integer" } };
const ranges = [
    { type: "integer", minimum: 0, maximum: 10 },
    { type: "integer", minimum: 5, maximum: 15 },
];
const cases = [
    [{ type: "array", minItems: 3 }, 200, "[]"],
    [{ ...integers, minItems: 3 }, 0],
    [{ type: "array", contains: { const: 7 }, minItems: 2 }, 200, "[7]"],
    [{ ...integers, contains: { const: 7 }, minItems: 2 }, 0],
    [{ type: "object", propertyNames: { pattern: "^a" }, minProperties: 2 }, 200],
    [{ type: "string", pattern: "^(?!a)[abc]$" }, 71, '"a"'],
    [{ oneOf: ranges }, 105],
];
for (const [schema, expected, only] of cases) {
    const made = [];
    for (let seed = 1; seed <= 200; seed += 1) made.push(await generate(schema, { seed }));
    const wrong = made.filter((value) => !ajv.validate(schema, value));
    const kinds = new Set(wrong.map((value) => JSON.stringify(value)));
    console.log(JSON.stringify(schema), "wrong of 200:", wrong.length, [...kinds].slice(0, 2).join(" "));
    assert.strictEqual(wrong.length, expected, "the behaviour has changed");
    if (only) assert.deepStrictEqual([...kinds], [only], "the behaviour has changed");
}
const calls = await Promise.all(Array.from({ length: 5 }, () => generate({ type: "integer" })));
console.log("five integers without a seed:", ...calls);
assert.strictEqual(new Set(calls).size, 1, "the behaviour has changed");
NODE
node "$folder/look.mjs"
