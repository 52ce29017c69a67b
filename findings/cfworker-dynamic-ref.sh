#!/usr/bin/env bash
# @cfworker/json-schema 4.1.6 (npm): a tree may hold anything below its first level.
#
# Guess: `$dynamicRef` of the draft 2020-12, which the package names as one of its own, is checked
#        or refused.
# Seen:  it does nothing: the children of a tree that should be trees may be 1. `$recursiveRef`,
#        which the draft 2019-09 has for it, is checked. Ajv checks both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @cfworker/json-schema@4.1.6 ajv@8.20.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Validator } from "@cfworker/json-schema";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";

const tree = (items) => ({ type: "object", properties: { children: { type: "array", items } } });
const schemas = [
    ["2020-12", { $dynamicAnchor: "node", ...tree({ $dynamicRef: "#node" }) }, Ajv2020.default, true],
    ["2019-09", { $recursiveAnchor: true, ...tree({ $recursiveRef: "#" }) }, Ajv2019.default, false],
];
for (const [draft, keywords, Ajv, expected] of schemas) {
    const $schema = `https://json-schema.org/draft/${draft}/schema`;
    const schema = { $schema, $id: "https://example.com/t", ...keywords };
    const validator = new Validator(schema, draft);
    assert(!validator.validate({ children: 1 }).valid);
    const seen = validator.validate({ children: [1] }).valid;
    const byAjv = new Ajv().compile(schema)({ children: [1] });
    console.log(draft, "a tree with the child 1 is valid:", seen, "by Ajv:", byAjv);
    assert.equal(byAjv, false);
    assert.equal(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
