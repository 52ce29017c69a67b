#!/usr/bin/env bash
# onnxruntime-genai 0.18.0: top_k 0 doesn't turn top-k off.
#
# Guess: do_sample with top_k=0 draws from all tokens, as 0 means "off" elsewhere; top_p then keeps the
#        fewest tokens whose sum reaches it.
# Seen:  top_k=0 alone is greedy. With top_p=0.6 it draws from tokens beyond the two that reach 0.6;
#        top_k=100, the size of the vocabulary, does both right.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    onnxruntime-genai==0.18.0 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.3.5
PYTHONPATH="$here" "$folder/venv/bin/python" -B - <<'PYTHON'
import json
import tempfile

import numpy as np
import onnxruntime_genai as genai
from tiny_onnx import HEAD, write

SIZE = 100


def load(folder):
    write(f"{folder}/model.onnx", [0.4, 0.3, 0.2] + [0.1 / (SIZE - 3)] * (SIZE - 3))
    decoder = {
        "filename": "model.onnx",
        "session_options": {"provider_options": []},
        "head_size": HEAD,
        "hidden_size": HEAD,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "num_hidden_layers": 1,
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
    }
    ids = {"bos_token_id": SIZE - 2, "eos_token_id": SIZE - 1, "pad_token_id": SIZE - 1}
    model = {"type": "llama", "vocab_size": SIZE, "context_length": 1024, "decoder": decoder, **ids}
    with open(f"{folder}/genai_config.json", "w") as file:
        search = {"max_length": 1024, "past_present_share_buffer": False}
        json.dump({"model": model, "search": search}, file)
    return genai.Model(folder)


def drawn(model, **options):
    params = genai.GeneratorParams(model)
    params.set_search_options(do_sample=True, random_seed=1, max_length=501, **options)
    generator = genai.Generator(model, params)
    generator.append_tokens(np.array([[5]], np.int32))
    while not generator.is_done():
        generator.generate_next_token()
    return {int(token) for token in generator.get_sequence(0)[1:]}


with tempfile.TemporaryDirectory() as folder:
    model = load(folder)
    seen = {}
    for top_k in (0, SIZE):
        for more in ({}, {"top_p": 0.6}):
            seen[top_k, len(more)] = drawn(model, top_k=top_k, **more)
            print("top_k", top_k, more, "drew", len(seen[top_k, len(more)]), "of", SIZE, "tokens")
assert seen[0, 0] == {0} and len(seen[SIZE, 0]) > 10, "the behaviour has changed"
assert len(seen[0, 1]) > 2 and seen[SIZE, 1] == {0, 1}, "the behaviour has changed"
PYTHON
