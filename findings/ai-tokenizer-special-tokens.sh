#!/usr/bin/env bash
# ai-tokenizer 1.0.6 (npm): with all special tokens allowed, none is.
#
# Guess: encode(text, "all") makes <|endoftext|> one token, as naming it does, since "all" is a value
#        of that parameter.
# Seen:  with "all" it's encoded as ordinary text, 7 tokens; named in a list it's one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" ai-tokenizer@1.0.6
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Tokenizer } from "ai-tokenizer";
import * as encodings from "ai-tokenizer/encoding";

for (const [name, id] of [["o200k_base", 199999], ["cl100k_base", 100257]]) {
    const tokenizer = new Tokenizer(encodings[name]);
    const all = Array.from(tokenizer.encode("a<|endoftext|>", "all"));
    const listed = Array.from(tokenizer.encode("a<|endoftext|>", ["<|endoftext|>"]));
    console.log(name, '"all":', JSON.stringify(all), "listed:", JSON.stringify(listed));
    assert(all.length === 8 && !all.includes(id), "the behaviour has changed");
    assert.deepStrictEqual(listed, [64, id], "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
