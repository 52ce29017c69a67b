#!/usr/bin/env bash
# tonl 2.5.2 (npm): texts of digits become numbers, empty texts go.
#
# Guess: `decodeTONL` of `encodeTONL` gives every document of JSON back.
# Seen:  the list ["1", "2"] comes back as [1, 2], though "1" alone stays a text; in a table of objects a name whose
#        text is empty is missing, and an integer beyond 2^53 comes back as a text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" tonl@2.5.2
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { decodeTONL, encodeTONL } from "tonl";

const cases = [
    ["1", "1"],
    [["1", "2"], [1, 2]],
    [["007", "1e5"], [7, 100000]],
    [{ answer: "1" }, { answer: "1" }],
    [[{ id: 1, text: "" }, { id: 2, text: "a" }], [{ id: 1 }, { id: 2, text: "a" }]],
    [{ id: 123456789012345680 }, { id: "123456789012345680" }],
];
for (const [value, expected] of cases) {
    const seen = decodeTONL(encodeTONL(value));
    console.log(JSON.stringify(value), "comes back as", JSON.stringify(seen));
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
