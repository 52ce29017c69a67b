#!/usr/bin/env bash
# gpt4-tokenizer 1.3.1 (npm), tiktoken 1.0.22 (npm): its type gpt4 has GPT-2's tokens.
#
# Guess: the package is for GPT-4, as its page says, so the type "gpt4" has the ids of cl100k_base.
# Seen:  ids and counts are GPT-2's whatever the type: Russian has twice as many tokens, indented code 14 for 8.
#        "gpt3" and "gpt4" are the same; "codex" merges spaces.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" gpt4-tokenizer@1.3.1 tiktoken@1.0.22
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { GPT4Tokenizer } = require("gpt4-tokenizer");
const { get_encoding } = require("tiktoken");

const gpt4 = new GPT4Tokenizer({ type: "gpt4" });
const old = get_encoding("gpt2");
const right = get_encoding("cl100k_base");
const texts = { "hello world": [2, 2], "def f():\n        return 1\n": [14, 8], "Привет, мир": [12, 6] };
for (const [text, [expected, counted]] of Object.entries(texts)) {
    const seen = gpt4.encode(text);
    const ids = Array.from(right.encode(text));
    console.log(JSON.stringify(text), "gpt4-tokenizer:", String(seen), "cl100k_base:", String(ids));
    assert.deepStrictEqual(seen, Array.from(old.encode(text)), "the behaviour has changed");
    assert.strictEqual(gpt4.estimateTokenCount(text), expected, "the behaviour has changed");
    assert.notDeepStrictEqual(seen, ids, "the behaviour has changed");
    assert.strictEqual(ids.length, counted);
}
NODE
node "$folder/look.cjs"
