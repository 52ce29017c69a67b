#!/usr/bin/env bash
# token.js 0.7.1 (npm): Mistral gets no stop sequences and no seed.
#
# Guess: OpenAI's settings are sent under the names that a provider has, or an error names them.
# Seen:  stop, which Mistral's API has, and seed, its random_seed, are dropped in silence; temperature, top-p and the
#        limit are sent. Gemini and AI21 get the stop sequences.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" token.js@0.7.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";

let sent;
globalThis.fetch = async (request, settings) => {
    sent = settings?.body ?? (await request.clone().text());
    return new Response("{}", { status: 400, headers: { "content-type": "application/json" } });
};
const { TokenJS } = await import("token.js");
const settings = { temperature: 0.7, top_p: 0.5, max_tokens: 11, stop: ["END"], seed: 1 };
const models = { mistral: "mistral-large-2402", gemini: "gemini-1.5-pro", ai21: "jamba-instruct" };
for (const [provider, model] of Object.entries(models)) {
    const client = new TokenJS({ apiKey: "x" });
    const messages = [{ role: "user", content: "x" }];
    await client.chat.completions.create({ provider, model, messages, ...settings }).catch(() => {});
    console.log(provider, sent);
    assert(sent.includes("0.5") && sent.includes("11"));
    assert.strictEqual(sent.includes("END"), provider !== "mistral", "the behaviour has changed");
    if (provider === "mistral") assert(!sent.includes("seed"), "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
