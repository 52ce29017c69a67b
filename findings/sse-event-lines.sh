#!/usr/bin/env bash
# together-ai 0.52.0, @google/genai 2.32.0 (npm): events with an event line lose their text.
#
# Guess: `event: message` is what an event without a name is, so a stream may name its events so.
# Seen:  both drop each such event in silence: of "Hello world" in two the answer is empty, or lacks its beginning if
#        the first alone is named. An `id:` line is as bad in @google/genai. groq-sdk 1.6.0 and
#        @huggingface/inference 4.13.30 read all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    together-ai@0.52.0 @google/genai@2.32.0 groq-sdk@1.6.0 @huggingface/inference@4.13.30
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { GoogleGenAI } from "@google/genai";
import { InferenceClient } from "@huggingface/inference";
import Groq from "groq-sdk";
import Together from "together-ai";

let fields;
const chat = (text) => {
    const choices = [{ index: 0, delta: { content: text } }];
    return { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices };
};
const google = (text) => ({ candidates: [{ index: 0, content: { role: "model", parts: [{ text }] } }] });
const server = createServer((request, response) => {
    const wrap = request.url.includes("GenerateContent") ? google : chat;
    const event = (text, at) => `${fields[at]}data: ${JSON.stringify(wrap(text))}\n\n`;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(["Hello ", "world"].map(event).join(""));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseURL = `http://127.0.0.1:${server.address().port}`;
const options = { apiKey: "x", baseURL, maxRetries: 0 };
const request = { model: "m", messages: [{ role: "user", content: "x" }] };

async function joined(chunks, text) {
    let whole = "";
    for await (const chunk of await chunks) whole += text(chunk) ?? "";
    return whole;
}

const delta = (chunk) => chunk.choices[0]?.delta?.content;
const create = (client) => joined(client.chat.completions.create({ ...request, stream: true }), delta);
const hub = new InferenceClient("hf_x");
const genai = new GoogleGenAI({ apiKey: "x", httpOptions: { baseUrl: baseURL } });
const clients = {
    "groq-sdk": () => create(new Groq(options)),
    "@huggingface/inference": () =>
        joined(hub.chatCompletionStream({ ...request, endpointUrl: baseURL }), delta),
    "together-ai": () => create(new Together(options)),
    "@google/genai": () =>
        joined(genai.models.generateContentStream({ model: "m", contents: "x" }), (chunk) => chunk.text),
};
const whole = "Hello world";
const expected = {
    "groq-sdk": [whole, whole, whole, whole],
    "@huggingface/inference": [whole, whole, whole, whole],
    "together-ai": [whole, "world", "", whole],
    "@google/genai": [whole, "world", "", ""],
};
const kinds = [["", ""], ["event: message\n", ""], ["event: message\n", "event: message\n"], ["id: 1\n", "id: 2\n"]];
for (const [name, read] of Object.entries(clients)) {
    const seen = [];
    for (fields of kinds) seen.push(await read());
    console.log(name, JSON.stringify(seen));
    assert.deepStrictEqual(seen, expected[name], "the behaviour has changed");
}
server.close();
NODE
node "$folder/look.mjs"
