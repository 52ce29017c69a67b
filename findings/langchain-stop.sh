#!/usr/bin/env bash
# @langchain/mistralai 1.2.0, google-genai 2.3.2, cohere 1.0.5 (npm): a call's stop sequences aren't sent.
#
# Guess: `stop` is a call option of every model in @langchain/core, and each of these documents it.
# Seen:  ChatMistralAI, ChatGoogleGenerativeAI and ChatCohere drop it in silence, so the text goes on behind it.
#        MistralAI, ChatOpenAI 1.6.0 and ChatGroq 1.3.1 send it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @langchain/mistralai@1.2.0 @langchain/google-genai@2.3.2 @langchain/cohere@1.0.5 @langchain/openai@1.6.0 \
    @langchain/groq@1.3.1 @langchain/core@1.4.0 cohere-ai@7.21.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { ChatCohere } from "@langchain/cohere";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatGroq } from "@langchain/groq";
import { ChatMistralAI, MistralAI } from "@langchain/mistralai";
import { ChatOpenAI } from "@langchain/openai";
import { CohereClient } from "cohere-ai";

let sent;
const server = createServer(async (request, response) => {
    sent = "";
    for await (const part of request) sent += part;
    response.writeHead(400, { "content-type": "application/json" });
    response.end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const settings = { model: "m", apiKey: "x", maxRetries: 0, temperature: 0.7 };
const client = new CohereClient({ token: "x", environment: url });
const models = [
    [new ChatMistralAI({ ...settings, serverURL: url }), false],
    [new ChatGoogleGenerativeAI({ ...settings, baseUrl: url }), false],
    [new ChatCohere({ ...settings, client }), false],
    [new MistralAI({ ...settings, serverURL: url }), true],
    [new ChatOpenAI({ ...settings, configuration: { baseURL: url } }), true],
    [new ChatGroq({ ...settings, baseUrl: url }), true],
];
for (const [model, expected] of models) {
    sent = undefined;
    await model.invoke("x", { stop: ["END"] }).catch(() => {});
    console.log(model.constructor.name, sent);
    assert(sent.includes("0.7"));
    assert.strictEqual(sent.includes("END"), expected, "the behaviour has changed");
}
server.close();
NODE
node "$folder/look.mjs"
