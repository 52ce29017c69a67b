#!/usr/bin/env bash
# word-error-rate 0.0.7 (npm): the error rate is over the longer text, not over the reference.
#
# Guess: four words too many for a reference of one word are an error rate of 4, one word for a reference of five 0.8.
# Seen:  0.8 both ways, so no rate is above 1 and a text that runs on looks better than it is: ten words behind a
#        right one have 0.91 for 10. jiwer 4.0.0 has 4, 0.8 and 10.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" word-error-rate@0.0.7
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jiwer==4.0.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const { join } = require("node:path");
const { wordErrorRate } = require("word-error-rate");

const python = join(__dirname, "venv", "bin", "python");
const jiwer = (text, reference) =>
    Number(execFileSync(python, ["-c", "import sys, jiwer; print(jiwer.wer(*sys.argv[1:]))", reference, text]));
const cases = [
    ["a x c", "a b c", 1 / 3, 1 / 3],
    ["a b c d e", "a", 0.8, 4],
    ["a", "a b c d e", 0.8, 0.8],
    ["a b c d e f g h i j k", "a", 10 / 11, 10],
];
for (const [text, reference, expected, right] of cases) {
    const seen = wordErrorRate(text, reference);
    console.log(text, "for", reference, "seen:", seen, "jiwer:", jiwer(text, reference));
    assert(Math.abs(jiwer(text, reference) - right) < 1e-9);
    assert(Math.abs(seen - expected) < 1e-9, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
