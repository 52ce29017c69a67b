#!/usr/bin/env bash
# genkitx-ollama 1.42.0 (npm): two stop sequences become one.
#
# Guess: `stopSequences` is sent as Ollama's list `stop`.
# Seen:  its texts are written one behind the other: of a line break and "END" the stop sequence is
#        "\nEND", so a text doesn't end at its first line. One stop sequence alone is right.
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
const answer = JSON.stringify({ model: "m", message: { role: "assistant", content: "hi" }, done: true });
const server = createServer(async (request, response) => {
    asked.push(JSON.parse((await request.toArray()).join("")));
    response.end(answer);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const serverAddress = `http://127.0.0.1:${server.address().port}`;
const ai = genkit({ plugins: [ollama({ models: [{ name: "m", type: "chat" }], serverAddress })] });
for (const stopSequences of [["END"], ["\n", "END"]]) {
    await ai.generate({ model: "ollama/m", prompt: "hello", config: { stopSequences } });
    console.log("asked for", stopSequences, "sent", asked.at(-1).options);
}
assert.deepEqual(asked.map((body) => body.options.stop), ["END", "\nEND"], "the behaviour has changed");
process.exit(0);
NODE
node "$folder/look.mjs"
