#!/usr/bin/env bash
# @huggingface/transformers 4.3.1 (npm): top_p, min_p and typical_p do nothing.
#
# Guess: generate draws with top_p and min_p as in Python, since they are settings of its
#        GenerationConfig; what isn't done is refused.
# Seen:  they're taken in silence: at top_p 0.3 and min_p 1, which leave the best token alone, draws are
#        those of all tokens. top_k and temperature do what they say.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.3.5
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @huggingface/transformers@4.3.1
mkdir -p "$folder/model/onnx"
PYTHONPATH="$here" "$folder/venv/bin/python" -B - "$folder/model" <<'PYTHON'
import json
import sys

from tiny_onnx import HEAD, write

write(f"{sys.argv[1]}/onnx/model.onnx", [0.4, 0.3, 0.2] + [0.1 / 13] * 13)
ids = {"bos_token_id": 14, "eos_token_id": 15, "pad_token_id": 15}
sizes = {"vocab_size": 16, "hidden_size": HEAD, "head_dim": HEAD, "num_hidden_layers": 1}
heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
with open(f"{sys.argv[1]}/config.json", "w") as file:
    json.dump({"model_type": "llama", **ids, **sizes, **heads}, file)
with open(f"{sys.argv[1]}/generation_config.json", "w") as file:
    json.dump(ids, file)
PYTHON
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { AutoModelForCausalLM, Tensor, env } from "@huggingface/transformers";

env.allowRemoteModels = false;
env.localModelPath = process.argv[2];
const model = await AutoModelForCausalLM.from_pretrained("model", { dtype: "fp32" });
const one = (value) => new Tensor("int64", [value], [1, 1]);

async function drawn(settings) {
    const text = { inputs: one(5n), attention_mask: one(1n), max_new_tokens: 300, eos_token_id: 99 };
    const tokens = await model.generate({ ...text, do_sample: true, ...settings });
    const kinds = new Set([...tokens.data].slice(1)).size;
    console.log(JSON.stringify(settings), "drew", kinds, "of 16 tokens");
    return kinds;
}

assert((await drawn({ top_k: 0 })) > 6);
for (const settings of [{ top_p: 0.3 }, { min_p: 1 }, { typical_p: 0.1 }, { top_p: 0.01, min_p: 1 }]) {
    assert((await drawn({ top_k: 0, ...settings })) > 6, "the behaviour has changed");
}
assert.strictEqual(await drawn({ top_k: 2 }), 2, "the behaviour has changed");
assert((await drawn({ top_k: 0, temperature: 0.1 })) <= 3, "the behaviour has changed");
NODE
node "$folder/look.mjs" "$folder/"
