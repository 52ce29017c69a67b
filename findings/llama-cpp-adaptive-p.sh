#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): adaptive-p draws tokens that the model all but rules out.
#
# Guess: with a target of 0.2 it favours tokens of about that probability, so of 0.4, 0.3, 0.2 and 0.1 the third.
# Seen:  it does, but a token of 1e-12 is nearer to the target than one of 0.4, and each of the 28 has its share: they
#        come in some half of the draws. With `min_p` in front of it they never do.
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
draws = 200
for samplers in (["adaptive_p"], ["min_p", "adaptive_p"]):
    settings = {"n_predict": 1, "adaptive_target": 0.2, "samplers": samplers, "min_p": 0.05, "temperature": 1}
    texts = [server("/completion", prompt="abc", seed=seed, **settings)["content"] for seed in range(draws)]
    likely = {letter: texts.count(letter) for letter in "abcd"}
    rest = draws - sum(likely.values())
    print(samplers, "draws:", likely, "tokens of 1e-12:", rest)
    assert likely["c"] > likely["a"], "the behaviour has changed"
    assert rest > 0.25 * draws if len(samplers) == 1 else rest == 0, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
