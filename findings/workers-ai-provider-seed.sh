#!/usr/bin/env bash
# workers-ai-provider 4.0.0 (npm): seed, top-k and stop sequences are left out without a warning.
#
# Guess: each setting is sent, or a warning names it, as it does for the penalties.
# Seen:  temperature, top-p and the limit are sent. For both penalties there's a warning; a seed, a top-k and stop
#        sequences are dropped in silence, so no draw can be repeated and a text goes on behind its stop sequence.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    ai@7.0.173 workers-ai-provider@4.0.0 zod@4.6.7
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { generateText } from "ai";
import { createWorkersAI } from "workers-ai-provider";

globalThis.AI_SDK_LOG_WARNINGS = false;
let sent;
const binding = {
    run: async (_, inputs) => {
        sent = inputs;
        return { response: "hi", usage: { prompt_tokens: 1, completion_tokens: 1 } };
    },
};
const settings = {
    temperature: 0.7,
    topP: 0.5,
    topK: 7,
    seed: 1,
    stopSequences: ["END"],
    presencePenalty: 0.25,
    frequencyPenalty: 0.75,
    maxOutputTokens: 11,
};
const model = createWorkersAI({ binding })("@cf/meta/llama-3.1-8b-instruct");
const { warnings } = await generateText({ model, prompt: "x", maxRetries: 0, ...settings });
const named = warnings.map((warning) => warning.feature).sort();
console.log("asked:", JSON.stringify(settings));
console.log("sent:", JSON.stringify(sent), "warnings:", named.join());
const { messages, ...seen } = sent;
const rest = Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined));
assert.deepStrictEqual(rest, { max_tokens: 11, temperature: 0.7, top_p: 0.5 }, "the behaviour has changed");
assert.deepStrictEqual(named, ["frequencyPenalty", "presencePenalty"], "the behaviour has changed");
NODE
node "$folder/look.mjs"
