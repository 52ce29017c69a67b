#!/usr/bin/env bash
# @nem035/gpt-3-encoder 1.1.7 (npm), tiktoken 1.0.22 (npm): 77 of GPT-2's tokens never come, words among them.
#
# Guess: a fork of gpt-3-encoder that only starts faster has the ids that it has, which are GPT-2's.
# Seen:  77 tokens whose text is whole UTF-8 aren't the encoding of their own text, though they are in tiktoken and in
#        gpt-3-encoder 1.1.4: " pairs" is " pair" and "s"; "://", " //", " stairs" and " chairs" are cut too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @nem035/gpt-3-encoder@1.1.7 gpt-3-encoder@1.1.4 tiktoken@1.0.22
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const fork = require("@nem035/gpt-3-encoder");
const original = require("gpt-3-encoder");
const { get_encoding } = require("tiktoken");

const tiktoken = get_encoding("gpt2");
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const missing = [];
for (let id = 0; id < 50256; id++) {
    let text;
    try {
        text = strict.decode(tiktoken.decode(new Uint32Array([id])));
    } catch {
        continue;
    }
    const right = Array.from(tiktoken.encode(text));
    assert.deepStrictEqual(original.encode(text), right, "the behaviour of gpt-3-encoder has changed");
    if (String(fork.encode(text)) !== String(right)) missing.push(text);
}
console.log(missing.length, "tokens never come:", JSON.stringify(missing));
assert.strictEqual(missing.length, 77, "the behaviour has changed");
for (const text of ["://", " pairs", " stairs", " chairs", " //"]) {
    assert(missing.includes(text), "the behaviour has changed");
}
const text = "Two pairs of chairs";
console.log(JSON.stringify(text), "tiktoken:", String(tiktoken.encode(text)), "the fork:", String(fork.encode(text)));
assert.strictEqual(fork.encode(text).length, tiktoken.encode(text).length + 2, "the behaviour has changed");
NODE
node "$folder/look.cjs"
