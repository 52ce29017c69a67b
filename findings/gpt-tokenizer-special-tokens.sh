#!/usr/bin/env bash
# gpt-tokenizer 4.0.0 (npm): an allowed special token is found at the beginning of the text alone.
#
# Guess: with allowedSpecial: "all" <|endoftext|> is one token wherever it stands, as in tiktoken.
# Seen:  behind other text it's encoded as ordinary text, 7 tokens, in three encodings; of two in a row
#        comes the first, its text once more, and the second. js-tiktoken 1.0.21 has one token for each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" gpt-tokenizer@4.0.0 js-tiktoken@1.0.21
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { encode as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { encode as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { encode as p50k } from "gpt-tokenizer/encoding/p50k_base";
import { getEncoding } from "js-tiktoken";

const packages = { o200k_base: o200k, cl100k_base: cl100k, p50k_base: p50k };
for (const [name, encode] of Object.entries(packages)) {
    const other = getEncoding(name);
    const counts = [];
    for (const text of ["<|endoftext|>b", "a<|endoftext|>b", "<|endoftext|><|endoftext|>"]) {
        const seen = encode(text, { allowedSpecial: "all" });
        const right = other.encode(text, "all");
        counts.push([seen.length, right.length]);
        console.log(name, text, "seen:", JSON.stringify(seen), "js-tiktoken:", JSON.stringify(right));
    }
    assert.deepStrictEqual(counts, [[2, 2], [9, 3], [9, 2]], "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
