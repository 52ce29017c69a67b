#!/usr/bin/env bash
# levdist 2.2.12 (npm): its Levenshtein distance isn't that.
#
# Guess: "ab" and "ba" are two changes apart, as Levenshtein's distance has no swap.
# Seen:  one, so the error rate of "teh" for "the" is 1/3 instead of 2/3. It's the optimal string alignment, which isn't
#        a distance: from "ca" to "ac" and from there to "abc" are 1 and 1, from "ca" to "abc" 3. fastest-levenshtein
#        1.0.16 has 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" levdist@2.2.12 fastest-levenshtein@1.0.16
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { distance } from "fastest-levenshtein";
import levdist from "levdist";

const cases = [
    ["kitten", "sitting", 3, 3],
    ["ab", "ba", 2, 1],
    ["the", "teh", 2, 1],
    ["ca", "ac", 2, 1],
    ["ac", "abc", 1, 1],
    ["ca", "abc", 3, 3],
];
for (const [from, to, right, expected] of cases) {
    const seen = levdist(from, to);
    console.log(from, to, "Levenshtein:", distance(from, to), "levdist:", seen);
    assert.strictEqual(distance(from, to), right);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
