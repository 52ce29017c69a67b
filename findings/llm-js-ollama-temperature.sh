#!/usr/bin/env bash
# @themaximalist/llm.js 1.0.3 (npm): Ollama, its default service, doesn't get the temperature.
#
# Guess: the temperature is sent in `options`, where Ollama's API has it, as the limit of tokens is.
# Seen:  it comes beside them, under a name that Ollama's chat doesn't have, so the model's own default holds. The other
#        services get it where they have it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @themaximalist/llm.js@1.0.3
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import LLM from "@themaximalist/llm.js";

let sent;
globalThis.fetch = async (url, { body }) => {
    sent = JSON.parse(body);
    return new Response("{}", { status: 400 });
};
async function ask(service) {
    await LLM("x", { service, model: "m", apiKey: "x", temperature: 0.7, max_tokens: 11 }).catch(() => {});
    console.log(service, JSON.stringify(sent));
    return sent;
}
const { options, temperature } = await ask("ollama");
assert.deepStrictEqual(options, { num_predict: 11 }, "the behaviour has changed");
assert.strictEqual(temperature, 0.7, "the behaviour has changed");
assert.strictEqual((await ask("google")).generationConfig.temperature, 0.7);
assert.strictEqual((await ask("anthropic")).temperature, 0.7);
NODE
node "$folder/look.mjs"
