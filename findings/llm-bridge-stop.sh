#!/usr/bin/env bash
# llm-bridge 2.0.1 (npm): a translated request loses its stop sequences, seed, penalties and top-k.
#
# Guess: between two providers that both have a setting it's translated, as the page promises no loss of data.
# Seen:  of a request from one of OpenAI, Anthropic and Google to another only temperature, top-p and the limit are
#        left. Stop sequences, which all three have, are dropped each way, and so are seed and penalties from OpenAI to
#        Google, and top-k between Anthropic and Google, all without an error. To the same provider nothing is lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" llm-bridge@2.0.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { translateBetweenProviders } from "llm-bridge";

const settings = { model: "m", temperature: 0.7, top_p: 0.5, max_tokens: 11 };
const messages = [{ role: "user", content: "x" }];
const penalties = { presence_penalty: 0.25, frequency_penalty: 0.75 };
const generationConfig = { temperature: 0.7, topP: 0.5, maxOutputTokens: 11, stopSequences: ["END"], topK: 7, seed: 1 };
const requests = {
    openai: { ...settings, messages, stop: ["END"], seed: 1, ...penalties },
    anthropic: { ...settings, messages, stop_sequences: ["END"], top_k: 7 },
    google: { contents: [{ role: "user", parts: [{ text: "x" }] }], generationConfig },
};
const of = (request) => request.generationConfig ?? request;
for (const from of Object.keys(requests)) {
    for (const to of Object.keys(requests)) {
        const { messages: _, contents: __, ...seen } = of(translateBetweenProviders(from, to, requests[from]));
        console.log(from, "to", to, JSON.stringify(seen));
        const text = JSON.stringify(seen);
        assert(text.includes("0.7") && text.includes("0.5") && text.includes("11"));
        const lost = !/END|top_?k|seed|penalty/i.test(text);
        assert.strictEqual(lost, from !== to, "the behaviour has changed");
    }
}
NODE
node "$folder/look.mjs"
