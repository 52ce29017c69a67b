#!/usr/bin/env bash
# @langchain/ollama 1.3.0 (npm): the seed of `Ollama` and the stop sequences of `ChatOllama` aren't sent.
#
# Guess: both classes take the same typed settings, so both send each of them.
# Seen:  `Ollama` drops `seed`, given to the constructor or to the call, `ChatOllama` the constructor's `stop`, in
#        silence; the other one sends it. ChatOllama's `stop` of a call is sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @langchain/ollama@1.3.0 @langchain/core@1.4.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { ChatOllama, Ollama } from "@langchain/ollama";

let sent;
const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    sent = JSON.parse(body).options;
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const end = { model: "m", created_at: "2026-01-01T00:00:00Z", done: true, done_reason: "stop" };
    response.end(`${JSON.stringify({ ...end, response: "hi", message: { role: "assistant", content: "hi" } })}\n`);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseUrl = `http://127.0.0.1:${server.address().port}`;
const settings = { model: "m", baseUrl, temperature: 0.7, seed: 5, stop: ["END"] };
const seen = {};
for (const [name, Model] of [["Ollama", Ollama], ["ChatOllama", ChatOllama]]) {
    for (const options of [{}, { seed: 6, stop: ["STOP"] }]) {
        await new Model(settings).invoke("x", options);
        seen[name] = [...(seen[name] ?? []), sent];
        console.log(name, "called with", JSON.stringify(options), "sends", JSON.stringify(sent));
    }
}
const both = { temperature: 0.7 };
const ollama = [{ ...both, stop: ["END"] }, { ...both, stop: ["STOP"] }];
assert.deepStrictEqual(seen.Ollama, ollama, "the behaviour has changed");
const chat = [{ ...both, seed: 5 }, { ...both, seed: 5, stop: ["STOP"] }];
assert.deepStrictEqual(seen.ChatOllama, chat, "the behaviour has changed");
server.close();
NODE
node "$folder/look.mjs"
