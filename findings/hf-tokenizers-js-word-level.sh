#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (npm): a word that a WordLevel file doesn't know has no id.
#
# Guess: it gets the id of the file's unk_token, or WordLevel is refused as other types are.
# Seen:  the file loads, known words are right, and the unknown one has the id undefined.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/tokenizers@0.2.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Tokenizer } from "@huggingface/tokenizers";

const file = {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab: { "[UNK]": 0, hello: 1, world: 2 }, unk_token: "[UNK]" },
};
const { ids } = new Tokenizer(file, {}).encode("hello new world", { add_special_tokens: false });
console.log("ids of hello, new, world:", ids, "in the Rust library: [1, 0, 2]");
assert.deepStrictEqual(ids, [1, undefined, 2], "the behaviour has changed");
NODE
node "$folder/look.mjs"
