#!/usr/bin/env bash
# ollama-ai-provider-v2 4.0.1 (npm): temperature, top_p and the limit of tokens don't reach Ollama's options.
#
# Guess: settings are sent in `options`, where Ollama's API has them, or a warning names them.
# Seen:  temperature, top_p and max_output_tokens come beside `options`, the last under a name that Ollama's API
#        doesn't have, without a warning. Seed, top-k, stop sequences and penalties, which Ollama has, are left out
#        with one. ai-sdk-ollama 4.3.0 sends all eight in `options`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    ai@7.0.173 ollama-ai-provider-v2@4.0.1 ai-sdk-ollama@4.3.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { generateText } from "ai";
import * as other from "ai-sdk-ollama";
import { createOllama } from "ollama-ai-provider-v2";

globalThis.AI_SDK_LOG_WARNINGS = false;
let sent;
const message = { role: "assistant", content: "hi" };
const times = { eval_count: 1, prompt_eval_count: 1, eval_duration: 1, prompt_eval_duration: 1 };
const answer = { model: "m", created_at: "2026-01-01T00:00:00Z", message, done: true, done_reason: "stop", ...times };
const server = createServer(async (request, response) => {
    sent = "";
    for await (const part of request) sent += part;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const settings = {
    temperature: 0,
    topP: 0.5,
    topK: 7,
    seed: 1,
    presencePenalty: 0.25,
    frequencyPenalty: 0.75,
    stopSequences: ["END"],
    maxOutputTokens: 11,
};

async function ask(name, model) {
    const { warnings } = await generateText({ model, prompt: "x", maxRetries: 0, ...settings });
    const { options, messages, model: _, think, stream, ...beside } = JSON.parse(sent);
    const named = (warnings ?? []).map((warning) => warning.details ?? warning.feature);
    console.log(name, "options:", options, "beside them:", beside, "warnings:", named.join());
    return [options, beside, named];
}

const [options, beside, warned] = await ask("ollama-ai-provider-v2", createOllama({ baseURL: `${address}/api` })("m"));
assert.strictEqual(options, undefined, "the behaviour has changed");
assert.deepStrictEqual(beside, { temperature: 0, top_p: 0.5, max_output_tokens: 11 }, "the behaviour has changed");
const left = ["topK", "seed", "presencePenalty", "frequencyPenalty", "stopSequences"];
assert.deepStrictEqual(warned, left, "the behaviour has changed");
const right = await ask("ai-sdk-ollama", other.createOllama({ baseURL: address })("m"));
assert.deepStrictEqual(Object.keys(right[0]).length, 8);
server.close();
NODE
node "$folder/look.mjs"
