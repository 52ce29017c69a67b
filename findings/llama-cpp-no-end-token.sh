#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a file that names no end token ends at token 11.
#
# Guess: without tokenizer.ggml.eos_token_id a text goes on until its limit.
# Seen:  token 11 of a "gpt2" vocabulary ends it, whatever its text is (here the letter l). With an
#        end token in the file, token 11 is a token like others.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import json
import sys
import urllib.request

import gguf
import numpy as np
import xllamacpp

N = 32  # tokens of the vocabulary, and width


def write(path, end_token):
    """A model of one layer that always gives token 11 the largest logit."""
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(64)
    file.add_embedding_length(N)
    file.add_block_count(1)
    file.add_feed_forward_length(N)
    file.add_head_count(2)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(N // 2)
    file.add_vocab_size(N)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list([chr(97 + i) if i < 26 else chr(65 + i - 26) for i in range(N)])
    file.add_token_types([1] * N)
    file.add_token_merges(["a b"])
    if end_token is not None:
        file.add_eos_token_id(end_token)
    output = np.zeros((N, N), np.float32)
    output[11] = 1
    ones = np.ones(N, np.float32)
    file.add_tensor("token_embd.weight", np.ones((N, N), np.float32))
    file.add_tensor("output.weight", output)
    file.add_tensor("output_norm.weight", ones)
    for name in "attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down".split():
        file.add_tensor(f"blk.0.{name}.weight", np.zeros((N, N), np.float32))
    file.add_tensor("blk.0.attn_norm.weight", ones)
    file.add_tensor("blk.0.ffn_norm.weight", ones)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def text(path):
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = 64
    params.n_parallel = 1
    server = xllamacpp.Server(params)
    body = json.dumps({"prompt": "abc", "n_predict": 8, "temperature": 0, "return_tokens": True})
    request = urllib.request.Request(
        server.listening_address + "/completion", body.encode(), {"Content-Type": "application/json"}
    )
    answer = json.load(urllib.request.urlopen(request))
    return answer["tokens"], answer["stop_type"]


seen = []
for end_token in (None, 5):
    path = f"{sys.argv[1]}/end-{end_token}.gguf"
    write(path, end_token)
    seen.append(text(path))
    print("end token in the file:", end_token, "tokens and reason of the end:", seen[-1])
assert seen == [([11], "eos"), ([11] * 8, "limit")], "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder" 2>"$folder/log" || { tail -3 "$folder/log"; exit 1; }
