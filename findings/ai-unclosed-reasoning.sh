#!/usr/bin/env bash
# ai 7.0.173 (npm): an answer that ends while it reasons has other texts streamed and whole.
#
# Guess: extractReasoningMiddleware splits one answer the same way for streamText and generateText.
# Seen:  "<think>a", cut by a limit of tokens, streams as reasoning "a" without a text, but comes whole as the
#        text "<think>a" without reasoning. An answer that only names the tag streams as reasoning too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    ai@7.0.173
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { extractReasoningMiddleware, generateText, simulateReadableStream, streamText, wrapLanguageModel } from "ai";
import { MockLanguageModelV4 } from "ai/test";

const end = { finishReason: { unified: "length" }, usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } } };
const middleware = extractReasoningMiddleware({ tagName: "think" });

function model(text) {
    const delta = { type: "text-delta", id: "1", delta: text };
    const chunks = [
        { type: "stream-start", warnings: [] },
        { type: "text-start", id: "1" },
        delta,
        { type: "text-end", id: "1" },
        { type: "finish", ...end },
    ];
    const mock = new MockLanguageModelV4({
        doGenerate: async () => ({ content: [{ type: "text", text }], warnings: [], ...end }),
        doStream: async () => ({ stream: simulateReadableStream({ chunks }) }),
    });
    return wrapLanguageModel({ model: mock, middleware });
}

async function look(text) {
    const whole = await generateText({ model: model(text), prompt: "x" });
    const streamed = streamText({ model: model(text), prompt: "x" });
    const seen = {
        whole: [whole.reasoningText ?? "", whole.text],
        streamed: [(await streamed.reasoningText) ?? "", await streamed.text],
    };
    console.log(JSON.stringify(text), "reasoning and text:", JSON.stringify(seen));
    return seen;
}

const same = await look("<think>a</think>b");
assert.deepStrictEqual([same.whole, same.streamed], [["a", "b"], ["a", "b"]], "the behaviour has changed");
const cut = await look("<think>a");
assert.deepStrictEqual([cut.whole, cut.streamed], [["", "<think>a"], ["a", ""]], "the behaviour has changed");
const named = await look("The tag <think> begins it.");
assert.deepStrictEqual(named.whole, ["", "The tag <think> begins it."], "the behaviour has changed");
assert.deepStrictEqual(named.streamed, [" begins it.", "The tag "], "the behaviour has changed");
NODE
node "$folder/look.mjs"
