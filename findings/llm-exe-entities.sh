#!/usr/bin/env bash
# llm-exe 3.0.4 (npm): what is put into a prompt reaches the model as HTML.
#
# Guess: `{{x}}` in a prompt is replaced by the text as it is, as prompts aren't pages.
# Seen:  `<`, `&` and quotation marks become entities, in text prompts, in chats and in system messages alike: of
#        `if (a < b)` the model reads `if (a &lt; b)`. With `{{{x}}}` the text stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" llm-exe@3.0.4
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createChatPrompt, createPrompt } from "llm-exe";

const values = { x: `if (a < b && c) say "it's"` };
const entities = "if (a &lt; b &amp;&amp; c) say &quot;it&#x27;s&quot;";
const text = createPrompt("text", "Code: {{x}}").format(values);
const [system, user] = createChatPrompt("Rules: {{x}}").addUserMessage("Code: {{x}}").format(values);
const whole = createPrompt("text", "Code: {{{x}}}").format(values);
console.log("text:", text, "system:", system, "user:", user, "with three braces:", whole);
assert.strictEqual(text, `Code: ${entities}`, "the behaviour has changed");
assert.strictEqual(system.content, `Rules: ${entities}`, "the behaviour has changed");
assert.strictEqual(user.content, `Code: ${entities}`, "the behaviour has changed");
assert.strictEqual(whole, `Code: ${values.x}`, "the behaviour has changed");
NODE
node "$folder/look.mjs"
