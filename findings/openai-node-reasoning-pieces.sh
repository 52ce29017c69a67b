#!/usr/bin/env bash
# openai 7.59.0 (npm): of a streamed reasoning_content the last piece is left.
#
# Guess: text fields that a server adds to a message are put together like the text, as the Python client does.
# Seen:  reasoning_content in three chunks is its third one alone in the final message, and so is a list of
#        token ids on the choice; only fields that OpenAI itself has are put together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    openai@7.59.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import OpenAI from "openai";

// A server that streams these deltas of one choice, each with what else the choice has.
function client(pieces) {
    const event = ([delta, more]) => {
        const choice = { index: 0, delta, finish_reason: null, ...more };
        const chunk = { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [choice] };
        return `data: ${JSON.stringify(chunk)}\n\n`;
    };
    const body = [...pieces, [{}, { finish_reason: "stop" }]].map(event).join("") + "data: [DONE]\n\n";
    const headers = { "content-type": "text/event-stream" };
    return new OpenAI({ apiKey: "none", maxRetries: 0, fetch: async () => new Response(body, { headers }) });
}

const pieces = [
    [{ role: "assistant", reasoning_content: "First " }, { token_ids: [1] }],
    [{ reasoning_content: "think, " }, { token_ids: [2] }],
    [{ reasoning_content: "then act." }, { token_ids: [3] }],
    [{ content: "Yes" }],
];
const request = { model: "m", messages: [{ role: "user", content: "x" }] };
const [choice] = (await client(pieces).chat.completions.stream(request).finalChatCompletion()).choices;
const { content, reasoning_content } = choice.message;
console.log("text:", content, "| reasoning:", reasoning_content, "| token ids:", choice.token_ids);
assert.strictEqual(content, "Yes");
assert.strictEqual(reasoning_content, "then act.", "the behaviour has changed");
assert.deepStrictEqual(choice.token_ids, [3], "the behaviour has changed");
NODE
node "$folder/look.mjs"
