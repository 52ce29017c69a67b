#!/usr/bin/env bash
# float16 0.0.1 (npm), @petamoriken/float16 3.9.3 (npm): numbers too large for a half become NaN or small ones.
#
# Guess: a number beyond 65504 is infinite as float16, and one in the middle of two is rounded to the even one.
# Seen:  70,000 is NaN, 1,000,000 is -0.00023 and 10,000,000,000 is -84, as the exponent runs into the sign; 2049 is
#        2050 instead of 2048. All 65,536 halves are decoded right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" float16@0.0.1 @petamoriken/float16@3.9.3
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { f16round, getFloat16 } = require("@petamoriken/float16");
const { byteToFloat16, float16ToByte } = require("float16");

const view = new DataView(new ArrayBuffer(2));
for (let bits = 0; bits < 65536; bits++) {
    view.setUint16(0, bits);
    assert(Object.is(byteToFloat16(bits), getFloat16(view, 0)));
}
const cases = [
    [0.1, f16round(0.1)],
    [65504, 65504],
    [65520, Infinity],
    [70000, NaN],
    [1e6, -0.00023281574249267578],
    [1e10, -84.0625],
    [2049, 2050],
];
for (const [number, expected] of cases) {
    const seen = byteToFloat16(float16ToByte(number));
    console.log(number, "is", seen, "by float16 and", f16round(number), "by IEEE 754");
    assert(Object.is(seen, expected), "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
