#!/usr/bin/env bash
# ai 7.0.173 (npm): a completion model is sent another prompt than the one given.
#
# Guess: generateText({ prompt: "Once upon a time" }) sends that text to a completion model, as base models go on
#        with what stands there.
# Seen:  by @ai-sdk/openai-compatible 3.0.92 and @ai-sdk/openai 4.0.118 it becomes "user:", the text, "assistant:" on
#        lines of their own, with "user:" behind a line break as a stop sequence that nobody asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    ai@7.0.173 @ai-sdk/openai-compatible@3.0.92 @ai-sdk/openai@4.0.118
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false;
let sent;
const server = createServer(async (request, response) => {
    sent = "";
    for await (const part of request) sent += part;
    response.writeHead(200, { "content-type": "application/json" });
    const choices = [{ index: 0, text: ", there was", logprobs: null, finish_reason: "stop" }];
    const usage = { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 };
    response.end(JSON.stringify({ id: "1", object: "text_completion", created: 1, model: "m", choices, usage }));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseURL = `http://127.0.0.1:${server.address().port}`;
const prompt = "Once upon a time";
const wrapped = { prompt: `user:\n${prompt}\n\nassistant:\n`, stop: ["\nuser:"] };
const models = {
    "@ai-sdk/openai-compatible": createOpenAICompatible({ name: "x", baseURL }).completionModel("m"),
    "@ai-sdk/openai": createOpenAI({ apiKey: "x", baseURL }).completion("m"),
};
for (const [name, model] of Object.entries(models)) {
    const { text } = await generateText({ model, prompt, maxRetries: 0 });
    const { model: _, ...body } = JSON.parse(sent);
    console.log(name, "sends", JSON.stringify(body), "gets", JSON.stringify(text));
    assert.deepStrictEqual(body, wrapped, "the behaviour has changed");
}
server.close();
NODE
node "$folder/look.mjs"
