#!/usr/bin/env bash
# @langchain/core 1.4.0 (npm): what chunks say of the model is written one behind the other.
#
# Guess: chunks of one answer that name the same model, or the same reason of the end, are one message with that
#        name and that reason.
# Seen:  the message has the model "mm" and the reason "stopstop"; equal numbers stay as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @langchain/core@1.4.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { AIMessageChunk } from "@langchain/core/messages";

const chunk = (content) =>
    new AIMessageChunk({ content, response_metadata: { model_name: "m", finish_reason: "stop", created: 5 } });
const whole = chunk("a").concat(chunk("b"));
console.log("text:", whole.content, "| metadata:", JSON.stringify(whole.response_metadata));
assert.strictEqual(whole.content, "ab");
const expected = { model_name: "mm", finish_reason: "stopstop", created: 5 };
assert.deepStrictEqual(whole.response_metadata, expected, "the behaviour has changed");
NODE
node "$folder/look.mjs"
