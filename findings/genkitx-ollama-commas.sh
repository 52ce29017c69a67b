#!/usr/bin/env bash
# genkitx-ollama 1.42.0 (npm): parts of a prompt reach a completion model with commas between them.
#
# Guess: for a model of the type `generate`, parts of a message are put together as they stand, and
#        messages apart.
# Seen:  commas stand between all of them, and nothing tells a question from an answer: "What is "
#        and "2 + 2?", the answer "4" and "Sure?" are "What is ,2 + 2?,4,Sure?". As a chat the two
#        parts are "What is 2 + 2?".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" genkit@1.42.0 genkitx-ollama@1.42.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { genkit } from "genkit";
import { ollama } from "genkitx-ollama";

const asked = [];
const answer = { model: "m", message: { role: "assistant", content: "hi" }, response: "hi", done: true };
const server = createServer(async (request, response) => {
    asked.push(JSON.parse((await request.toArray()).join("")));
    response.end(JSON.stringify(answer));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const serverAddress = `http://127.0.0.1:${server.address().port}`;
const models = [{ name: "chat", type: "chat" }, { name: "completion", type: "generate" }];
const ai = genkit({ plugins: [ollama({ models, serverAddress })] });
const messages = [
    { role: "user", content: [{ text: "What is " }, { text: "2 + 2?" }] },
    { role: "model", content: [{ text: "4" }] },
];
await ai.generate({ model: "ollama/completion", messages, prompt: "Sure?" });
await ai.generate({ model: "ollama/chat", messages, prompt: "Sure?" });
console.log("completion:", asked[0].prompt, "chat:", asked[1].messages);
assert.equal(asked[0].prompt, "What is ,2 + 2?,4,Sure?", "the behaviour has changed");
assert.equal(asked[1].messages[0].content, "What is 2 + 2?", "the behaviour has changed");
process.exit(0);
NODE
node "$folder/look.mjs"
