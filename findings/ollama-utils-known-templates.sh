#!/usr/bin/env bash
# @huggingface/ollama-utils 0.0.18 (npm): a template is replaced by another model's, with its settings.
#
# Guess: the Go template made of a Jinja template writes what that one writes, or there's none.
# Seen:  one that has a known model's special tokens becomes that model's whole file for Ollama: with [INST] Devstral's,
#        whose system message stands in [SYSTEM_PROMPT], with Llama 3's header tokens Cogito's, which writes of tools
#        and brings a repeat penalty of 1.1 but no stop words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @huggingface/ollama-utils@0.0.18
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { convertGGUFTemplateToOllama } from "@huggingface/ollama-utils";

const inst =
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}" +
    "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}";
const headers =
    "{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] + " +
    "'<|eot_id|>' }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}";
const other = inst.replace("[INST] ", "<ask>").replace(" [/INST]", "</ask>");
const cases = [
    [other, "auto-conversion", "<ask>{{ .Prompt }}</ask>", { stop: ["<ask>"] }],
    [inst, "library/devstral:latest", "[SYSTEM_PROMPT]{{ .Content }}[/SYSTEM_PROMPT]", undefined],
    [headers, "library/cogito:3b", "Available Tools:", { repeat_penalty: 1.1 }],
];
for (const [template, model, part, params] of cases) {
    const seen = convertGGUFTemplateToOllama({ chat_template: template, bos_token: "<s>", eos_token: "</s>" });
    console.log(template, "becomes that of", seen.model, "with", seen.ollama.params);
    assert.strictEqual(seen.model, model, "the behaviour has changed");
    assert(seen.ollama.template.includes(part), "the behaviour has changed");
    assert.deepStrictEqual(seen.ollama.params, params, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
