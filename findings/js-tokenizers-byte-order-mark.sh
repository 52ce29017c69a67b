#!/usr/bin/env bash
# gpt-tokenizer 4.0.0 and ai-tokenizer 1.0.6 (npm): tokens that begin with U+FEFF aren't found.
#
# Guess: three JavaScript packages with OpenAI's o200k_base give a C# file's first line the same ids.
# Seen:  js-tiktoken 1.0.21 has 3 tokens for it, as Python's tiktoken has; gpt-tokenizer has 5, since
#        the character's own token and those that begin with it are unknown there; ai-tokenizer has
#        those of the line without the character.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . gpt-tokenizer@4.0.0 ai-tokenizer@1.0.6 js-tiktoken@1.0.21
cat >look.mjs <<'NODE'
import assert from "node:assert";
import { Tokenizer } from "ai-tokenizer";
import * as ai from "ai-tokenizer/encoding";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { getEncoding } from "js-tiktoken";

const line = "\ufeffusing System;";
const seen = {
    "js-tiktoken": getEncoding("o200k_base").encode(line),
    "gpt-tokenizer": encode(line),
    "ai-tokenizer": Array.from(new Tokenizer(ai.o200k_base).encode(line)),
};
console.log(seen);
assert.deepEqual(
    seen,
    {
        "js-tiktoken": [9251, 1219, 26],
        "gpt-tokenizer": [5416, 123, 1846, 1219, 26],
        "ai-tokenizer": [1846, 1219, 26],
    },
    "the behaviour has changed",
);
NODE
node look.mjs
