#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (npm): what a pre-tokenizer should remove stays.
#
# Guess: Split and Punctuation with the behavior Removed leave the delimiters out, as the Rust library
#        does and as it's done here for a regular expression.
# Seen:  with a plain string, and for Punctuation, they stay as tokens; "." as an expression goes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/tokenizers@0.2.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Tokenizer } from "@huggingface/tokenizers";

const letters = [..."abcdefgh .,-"];
const model = { type: "BPE", vocab: Object.fromEntries(letters.map((letter, id) => [letter, id])), merges: [] };
const tokens = (pre_tokenizer) => {
    const file = { added_tokens: [], normalizer: null, pre_tokenizer, post_processor: null, decoder: null, model };
    return new Tokenizer(file, {}).encode("ab.c-d", { add_special_tokens: false }).tokens.join("");
};
const split = (pattern) => tokens({ type: "Split", pattern, behavior: "Removed", invert: false });

// What the Rust library makes of it (PyPI's tokenizers 0.23.3), what came out here.
const cases = [
    ["a string", split({ String: "." }), "abc-d", "ab.c-d"],
    ["an expression", split({ Regex: "\\." }), "abc-d", "abc-d"],
    ["Punctuation", tokens({ type: "Punctuation", behavior: "Removed" }), "abcd", "ab.c-d"],
];
for (const [name, seen, rust, expected] of cases) {
    console.log("Removed,", name, "| Rust:", rust, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
