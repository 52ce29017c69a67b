#!/usr/bin/env bash
# @byjohann/toon 0.6.0 (npm): it can't decode what it encoded.
#
# Guess: `decode` of `encode` gives every document of JSON back.
# Seen:  a list of objects that hold objects is refused, as are lists with an empty object and {}; the texts "+1" and
#        ".5" become numbers. @toon-format/toon 4.4.0, its successor, gives all of them back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @byjohann/toon@0.6.0 @toon-format/toon@4.4.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import * as first from "@byjohann/toon";
import * as successor from "@toon-format/toon";

// Documents, and what becomes of each: undefined where it's refused.
const cases = [
    [[{ id: 1 }, { id: 2 }], [{ id: 1 }, { id: 2 }]],
    [[{ user: { id: 1 } }, { user: { id: 2 } }], undefined],
    [{ list: [{}] }, undefined],
    [{}, undefined],
    [{ phone: "+1", share: ".5", code: "05" }, { phone: 1, share: 0.5, code: "05" }],
];
for (const [value, expected] of cases) {
    const text = first.encode(value);
    let seen;
    try {
        seen = first.decode(text);
    } catch (error) {
        console.log(JSON.stringify(value), "is refused:", error.message);
    }
    if (seen) console.log(JSON.stringify(value), "comes back as", JSON.stringify(seen));
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
    assert.deepStrictEqual(successor.decode(successor.encode(value)), value);
}
NODE
node "$folder/look.mjs"
