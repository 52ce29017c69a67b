#!/usr/bin/env bash
# deck 0.0.4 (npm): a shuffle of three gives two of the six orders.
#
# Guess: "uniform shuffle" gives each order alike.
# Seen:  nothing stays in its place: of three only "b c a" and "c a b" come, of four 6 of 24 orders. Shuffles of
#        an object with weights, equal ones too, give all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    deck@0.0.4
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const deck = require("deck");

const orders = (items) => new Set(Array.from({ length: 20000 }, () => deck.shuffle(items).join(" ")));
const three = orders(["a", "b", "c"]);
console.log("orders of a list of three:", [...three].sort().join(", "));
assert.deepStrictEqual([...three].sort(), ["b c a", "c a b"], "the behaviour has changed");
const four = orders(["a", "b", "c", "d"]).size;
const weighed = orders({ a: 1, b: 1, c: 1 }).size;
console.log("orders of a list of four:", four, "of an object of three:", weighed);
assert.strictEqual(four, 6, "the behaviour has changed");
assert.strictEqual(weighed, 6);
NODE
node "$folder/look.cjs"
