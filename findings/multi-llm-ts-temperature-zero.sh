#!/usr/bin/env bash
# multi-llm-ts 5.1.1 (npm): a temperature of 0 isn't sent.
#
# Guess: temperature 0, as for the likeliest text, reaches the server as 0.
# Seen:  for OpenAI, Ollama and LM Studio the field is left out, so the server's own default holds, which is 1
#        by OpenAI's and 0.8 by Ollama's documentation. 0.5 is sent, and so is top_p 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    multi-llm-ts@5.1.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import http from "node:http";
import { LMStudio, Message, Ollama, OpenAI } from "multi-llm-ts";

const say = console.log;
console.log = console.info = () => {};
let body;
const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    body = JSON.parse(Buffer.concat(parts));
    response.setHeader("content-type", "application/json");
    const message = { role: "assistant", content: "hi" };
    response.end(JSON.stringify({ message, done: true, choices: [{ index: 0, message, finish_reason: "stop" }] }));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}`;
const engines = {
    OpenAI: new OpenAI({ apiKey: "none", baseURL: address }),
    LMStudio: new LMStudio({ apiKey: "none", baseURL: address }),
    Ollama: new Ollama({ baseURL: address }),
};
for (const [name, engine] of Object.entries(engines)) {
    for (const temperature of [0, 0.5]) {
        await engine.complete(engine.buildModel("m"), [new Message("user", "x")], { temperature });
        const { temperature: seen } = body.options ?? body;
        say(name, "temperature", temperature, "is sent as", seen);
        assert.strictEqual(seen, temperature || undefined, "the behaviour has changed");
    }
}
server.close();
server.closeAllConnections();
NODE
node "$folder/look.mjs"
