#!/usr/bin/env bash
# token.js 0.7.1 (npm): half of the temperature is sent to Mistral and Anthropic.
#
# Guess: a temperature of 0.7 is sent as 0.7, the same number for every provider.
# Seen:  Mistral and Anthropic get 0.35, so 1, the temperature of the model's own probabilities, can't be told from 0.5
#        by its caller; Gemini and AI21 get 0.7. Its page doesn't say so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" token.js@0.7.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";

let sent;
const server = createServer(async (request, response) => {
    sent = "";
    for await (const part of request) sent += part;
    response.writeHead(400, { "content-type": "application/json" });
    response.end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
process.env.ANTHROPIC_BASE_URL = `http://127.0.0.1:${server.address().port}`;
globalThis.fetch = async (request, settings) => {
    sent = settings?.body ?? (await request.clone().text());
    return new Response("{}", { status: 400, headers: { "content-type": "application/json" } });
};
const { TokenJS } = await import("token.js");
const cases = [
    ["mistral", "mistral-large-2402", 0.35],
    ["anthropic", "claude-3-5-sonnet-20240620", 0.35],
    ["gemini", "gemini-1.5-pro", 0.7],
    ["ai21", "jamba-instruct", 0.7],
];
const messages = [{ role: "user", content: "x" }];
for (const [provider, model, expected] of cases) {
    sent = undefined;
    const client = new TokenJS({ apiKey: "x" });
    await client.chat.completions.create({ provider, model, messages, temperature: 0.7 }).catch(() => {});
    const { temperature = JSON.parse(sent).generationConfig?.temperature } = JSON.parse(sent);
    console.log(provider, "asked for 0.7, sent:", temperature);
    assert.strictEqual(temperature, expected, "the behaviour has changed");
}
server.close();
NODE
node "$folder/look.mjs"
