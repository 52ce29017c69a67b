#!/usr/bin/env bash
# autoevals 0.0.132 (npm): an object with its names in another order isn't an exact match, and 1 isn't JSON.
#
# Guess: ExactMatch compares objects by what they hold, as JSONDiff does; ValidJSON accepts each document of
#        RFC 8259.
# Seen:  {"a":1,"b":2} against {"b":2,"a":1} scores 0 by ExactMatch and 1 by JSONDiff; the number 1 is an exact
#        match of the text "1". ValidJSON scores objects and lists alone 1; 1, true, null and "a" score 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    autoevals@0.0.132
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { ExactMatch, JSONDiff, ValidJSON } from "autoevals";

const score = async (scorer, output, expected) => (await scorer({ output, expected })).score;
const pairs = [
    [{ a: 1, b: 2 }, { a: 1, b: 2 }, 1, 1],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, 0, 1],
    [{ a: null }, {}, 0, 1],
];
for (const [output, expected, exact, difference] of pairs) {
    const seen = [await score(ExactMatch, output, expected), await score(JSONDiff, output, expected)];
    console.log(JSON.stringify(output), JSON.stringify(expected), "by ExactMatch and JSONDiff:", ...seen);
    assert.deepStrictEqual(seen, [exact, difference], "the behaviour has changed");
}
assert.strictEqual(await score(ExactMatch, 1, "1"), 1, "the behaviour has changed");
for (const [text, expected] of [["{}", 1], ["[]", 1], ["1", 0], ["true", 0], ["null", 0], ['"a"', 0]]) {
    const seen = await score(ValidJSON, text);
    console.log(text, "by ValidJSON:", seen);
    assert.strictEqual(JSON.parse(text) !== undefined && seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
