#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): an unknown name among the samplers is dropped.
#
# Guess: `samplers` with a name that doesn't exist is refused, as values out of their range are.
# Seen:  it's dropped in silence, and what it was for isn't done: with "temperatur" a temperature of 0.25 changes
#        nothing, with "temp" and "temperature" it holds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
server = Server(f"{sys.argv[1]}/x.gguf")
settings = {"n_predict": 1, "temperature": 0.25, "n_probs": 1, "post_sampling_probs": True, "seed": 1}
sharp = 0.4**4 / sum(share**4 for share in (0.4, 0.3, 0.2, 0.1))
cases = [(["temperature"], sharp), (["temp"], sharp), (["temperatur"], 0.4), (["top_k", "none"], 0.4)]
for samplers, expected in cases:
    answer = server("/completion", prompt="abc", top_k=30, samplers=samplers, **settings)
    seen = answer["completion_probabilities"][0]["top_probs"][0]
    print(samplers, "at 0.25, the best token:", seen["token"], round(seen["prob"], 4))
    assert abs(seen["prob"] - expected) < 1e-4, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
