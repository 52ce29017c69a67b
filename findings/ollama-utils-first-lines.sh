#!/usr/bin/env bash
# @huggingface/ollama-utils 0.0.18 (npm): what stands before the first message is lost without a system message.
#
# Guess: the Go template made of a Jinja template writes what that one writes, or there's none.
# Seen:  the first lines of a template come with a system message alone, a system message that it writes where there's
#        none never comes, and a length is that of a name in the Go template: 13 for every text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @huggingface/ollama-utils@0.0.18
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { convertGGUFTemplateToOllama } from "@huggingface/ollama-utils";

const messages = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<end>' }}{% endfor %}";
const answer = "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const system = "{{ if .System }}<|system|>{{ .System }}<end>{{ end }}";
const rest = "{{ if .Prompt }}<|user|>{{ .Prompt }}<end>{{ end }}<|assistant|>{{ .Response }}<end>";
const none = "{% if messages[0]['role'] != 'system' %}{{ '<|system|>Be kind.<end>' }}{% endif %}";
const cases = [
    [messages + answer, system + rest],
    ["{{ '<|date|>2026<end>' }}" + messages + answer, system.replace("}}", "}}<|date|>2026<end>") + rest],
    [none + messages + answer, system + rest],
    [
        messages.replace("m['role']", "m['role'] + (m['content'] | length | string)") + answer,
        (system + rest).replace("|system|", "|system13|").replace("|user|", "|user13|").replace("ant|", "ant15|"),
    ],
];
for (const [template, expected] of cases) {
    const seen = convertGGUFTemplateToOllama({ chat_template: template, bos_token: "<s>", eos_token: "</s>" });
    console.log(template, "becomes", seen.ollama.template);
    assert.strictEqual(seen.ollama.template, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
