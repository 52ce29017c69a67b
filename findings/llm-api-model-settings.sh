#!/usr/bin/env bash
# llm-api 1.6.0 (npm): a model's own limit and stop sequences aren't sent.
#
# Guess: maxTokens and stop of a model's configuration, which its page lists, hold for its calls.
# Seen:  both are dropped without an error by all three classes; temperature and topP of the same configuration are
#        sent. A call's own stop and maximumResponseTokens are sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" llm-api@1.6.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { OpenAIChatApi } from "llm-api";

let sent;
const server = createServer(async (request, response) => {
    sent = "";
    for await (const part of request) sent += part;
    response.writeHead(400, { "content-type": "application/json" });
    response.end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/v1`;
const settings = { model: "m", contextSize: 4096, temperature: 0.7, topP: 0.5, maxTokens: 11, stop: ["END"] };
const model = new OpenAIChatApi({ apiKey: "x", baseURL: url }, settings);
const messages = [{ role: "user", content: "x" }];
const calls = [
    [{}, [undefined, undefined]],
    [{ stop: "END", maximumResponseTokens: 11 }, [11, "END"]],
];
for (const [options, expected] of calls) {
    await model.chatCompletion(messages, { retries: 0, ...options }).catch(() => {});
    const { max_tokens, stop, temperature, top_p } = JSON.parse(sent);
    console.log("the model's:", settings, "the call's:", options, "sent:", { max_tokens, stop, temperature, top_p });
    assert.deepStrictEqual([temperature, top_p], [0.7, 0.5]);
    assert.deepStrictEqual([max_tokens, stop], expected, "the behaviour has changed");
}
server.close();
NODE
node "$folder/look.mjs"
