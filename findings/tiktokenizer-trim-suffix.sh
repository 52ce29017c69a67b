#!/usr/bin/env bash
# @microsoft/tiktokenizer 1.0.10 (npm): encodeTrimSuffix gives a text longer than its tokens.
#
# Guess: text and tokenIds of encodeTrimSuffix(text, n) are the same beginning of the text, of at most
#        n tokens, as a prompt is cut to a budget with it.
# Seen:  tokenIds has n tokens, text goes on to the end of the word that they cut; encoded again it has
#        more than n.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @microsoft/tiktokenizer@1.0.10
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import tiktokenizer from "@microsoft/tiktokenizer";

// One token a byte: a word that the vocabulary doesn't hold whole.
const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [Uint8Array.of(byte), byte]));
const tokenizer = tiktokenizer.createTokenizer(bytes, new Map(), "\\s?\\S+", 100);
const seen = [];
for (const limit of [3, 5, 14]) {
    const { tokenIds, text } = tokenizer.encodeTrimSuffix("one incomprehensible word", limit);
    seen.push([tokenizer.decode(tokenIds), text, tokenizer.encode(text).length]);
    console.log("at most", limit, "tokens:", tokenIds.length, "tokens, text, and its tokens:", seen.at(-1));
}
const whole = "one incomprehensible";
assert.deepStrictEqual(
    seen,
    [["one", "one", 3], ["one i", whole, 20], ["one incomprehe", whole, 20]],
    "the behaviour has changed",
);
NODE
node "$folder/look.mjs"
