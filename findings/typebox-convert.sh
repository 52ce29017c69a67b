#!/usr/bin/env bash
# @sinclair/typebox 0.34.52 (npm): a tool's argument of 1.9 becomes the integer 1.
#
# Guess: `Value.Convert` leaves what doesn't fit as it is, as it leaves "abc" and the boolean 2, so
#        that the check behind it refuses it.
# Seen:  1.9 and "1.9" become 1 and "0x10" becomes 0, and the check finds them right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @sinclair/typebox@0.34.52
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { Type } = require("@sinclair/typebox");
const { Value } = require("@sinclair/typebox/value");

for (const [type, value, expected] of [
    [Type.Integer(), 1.9, 1],
    [Type.Integer(), "1.9", 1],
    [Type.Integer(), -0.5, -0],
    [Type.Number(), "0x10", 0],
    [Type.Number(), "1e3", 1000],
    [Type.Integer(), "abc", null],
    [Type.Boolean(), 2, null],
]) {
    const seen = Value.Convert(type, value);
    const valid = Value.Check(type, seen);
    console.log(type.type, "of", JSON.stringify(value), "is", JSON.stringify(seen), "valid:", valid);
    assert(expected === null ? seen === value && !valid : seen == expected && valid, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
