#!/usr/bin/env bash
# openai-fetch 3.4.2, openai-streams 6.2.0 (npm): letters that the network cuts become U+FFFD.
#
# Guess: a streamed text is the same however its bytes are cut into packets.
# Seen:  a letter whose bytes come in two packets becomes two or more U+FFFD in both. In one packet it is
#        right. ai 7.0.173 puts it together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    openai-fetch@3.4.2 openai-streams@6.2.0 ai@7.0.173 @ai-sdk/openai-compatible@3.0.92
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import http from "node:http";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import { OpenAIClient } from "openai-fetch";
import { OpenAI } from "openai-streams";

const TEXT = "Grüße, 日本";
let size;
// Sends the text as one event, in packets of `size` bytes.
const server = http.createServer((request, response) => {
    request.resume();
    const choice = { index: 0, delta: { role: "assistant", content: TEXT }, finish_reason: "stop" };
    const chunk = { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [choice] };
    const body = Buffer.from(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
    response.setHeader("content-type", "text/event-stream");
    response.socket.setNoDelay(true);
    const send = (from) => {
        if (from >= body.length) return response.end();
        response.write(body.subarray(from, from + size), () => setTimeout(send, 2, from + size));
    };
    send(0);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/v1`;
const asked = { model: "m", messages: [{ role: "user", content: "x" }] };

async function joined(pieces, text) {
    let whole = "";
    for await (const piece of pieces) whole += text(piece);
    return whole;
}

const decoder = new TextDecoder();
const clients = {
    "openai-fetch": async () => {
        const client = new OpenAIClient({ apiKey: "none", baseUrl: address });
        return joined(await client.streamChatCompletion(asked), (piece) => piece.choices[0].delta.content);
    },
    "openai-streams": async () => {
        const stream = await OpenAI("chat", asked, { apiKey: "none", apiBase: address });
        return joined(stream, (piece) => decoder.decode(piece, { stream: true }));
    },
    ai: async () => {
        const model = createOpenAICompatible({ name: "x", baseURL: address })("m");
        return joined(streamText({ model, messages: asked.messages }).textStream, (piece) => piece);
    },
};
for (const [name, read] of Object.entries(clients)) {
    size = 1e6;
    const whole = await read();
    size = 1;
    const cut = await read();
    console.log(name, "in one packet:", whole, "| byte by byte:", cut);
    assert.strictEqual(whole, TEXT, "the behaviour has changed");
    assert.strictEqual(cut === TEXT, name === "ai", "the behaviour has changed");
    assert.strictEqual(cut.includes("\ufffd"), name !== "ai", "the behaviour has changed");
}
server.close();
server.closeAllConnections();
NODE
node "$folder/look.mjs"
