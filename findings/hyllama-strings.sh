#!/usr/bin/env bash
# hyllama 0.2.2 (npm): a GGUF file's strings are read byte by byte.
#
# Guess: the tokens of a vocabulary are the texts that were written, in UTF-8 as the format has them.
# Seen:  each byte becomes a character: the token of one letter is two characters, the space mark of
#        SentencePiece three. ASCII is right, so are numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    hyllama@0.2.2
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { ggufMetadata } from "hyllama";

const whole = (n) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(n));
    return bytes;
};
const short = (n) => whole(n).subarray(0, 4);
const string = (text) => Buffer.concat([whole(Buffer.byteLength(text)), Buffer.from(text)]);
const tokens = ["abc", "é", "▁the"];
// Magic, version 3, no tensors, one key: a list (type 9) of strings (type 8).
const list = [short(9), short(8), whole(tokens.length), ...tokens.map(string)];
const file = Buffer.concat([Buffer.from("GGUF"), short(3), whole(0), whole(1), string("tokenizer.ggml.tokens"), ...list]);
const { metadata } = ggufMetadata(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
const seen = metadata["tokenizer.ggml.tokens"];
tokens.forEach((token, index) => console.log("written:", token, "| seen:", JSON.stringify(seen[index])));
const bytes = (token) => Buffer.from(token).toString("latin1");
assert.strictEqual(seen[0], "abc", "the behaviour has changed");
assert.deepStrictEqual([...seen], tokens.map(bytes), "the behaviour has changed");
NODE
node "$folder/look.mjs"
