#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a llama file's sliding window is not applied.
#
# Guess: with llama.attention.sliding_window, as Mistral 7B v0.1 has one, a token sees that many others.
# Seen:  the key changes no logit of a prompt far longer than the window, and nothing is said; other
#        letters 40 tokens before the end still change them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write


def logprobs(name, prompt, keys=()):
    path = f"{sys.argv[1]}/{name}.gguf"
    write(path, keys=keys)
    answer = Server(path)("/completion", prompt=prompt, n_predict=1, n_probs=5, temperature=0)
    top = answer["completion_probabilities"][0]["top_logprobs"]
    return {token["token"]: token["logprob"] for token in top}


window = [("uint32", "llama.attention.sliding_window", 4)]
whole = logprobs("whole", "bcdefghij" * 5)
seen = logprobs("window", "bcdefghij" * 5, window)
far = logprobs("far", "zzzzfghij" + "bcdefghij" * 4, window)
print("without the key:", whole)
print("window of 4:    ", seen)
print("window of 4, other letters at the beginning:", far)
assert seen == whole, "the behaviour has changed"
assert far != seen, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
