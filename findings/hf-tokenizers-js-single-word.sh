#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (npm): an added token with single_word is found inside words.
#
# Guess: single_word keeps a token to whole words, as lstrip and rstrip are followed.
# Seen:  it's found in every word that holds it: of "tableau bleu" and the added "table" comes table|au.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/tokenizers@0.2.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Tokenizer } from "@huggingface/tokenizers";

const letters = [..."abcdefghijklmnopqrstuvwxyz "];
const vocab = Object.fromEntries(letters.map((letter, id) => [letter, id]));
const flags = { special: false, lstrip: false, rstrip: false, normalized: false };
const tokens = (text, single_word) => {
    const file = {
        added_tokens: [{ id: 100, content: "table", single_word, ...flags }],
        normalizer: null,
        pre_tokenizer: { type: "WhitespaceSplit" },
        post_processor: null,
        decoder: null,
        model: { type: "BPE", vocab, merges: [] },
    };
    return new Tokenizer(file, {}).encode(text, { add_special_tokens: false }).tokens;
};
const seen = ["tableau", "a table"].map((text) => [tokens(text, true), tokens(text, false)]);
console.log("tableau with and without single_word:", ...seen[0], "in the Rust library with it: t a b l e a u");
console.log("a table with and without single_word:", ...seen[1]);
assert.deepStrictEqual(seen[0], [["table", "a", "u"], ["table", "a", "u"]], "the behaviour has changed");
NODE
node "$folder/look.mjs"
