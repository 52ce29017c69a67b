#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): min_keep doesn't hold for top_k.
#
# Guess: min_keep: 3 leaves at least three tokens to draw from, whichever sampler cuts; the README of
#        its server makes no exception.
# Seen:  top_p and min_p leave three. top_k: 1 leaves one, whatever min_keep is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.5, "b": 0.3, "c": 0.2})
server = Server(f"{sys.argv[1]}/x.gguf")
OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0}


def drawn(**settings):
    body = {"prompt": "abc", "n_predict": 200, "temperature": 1.0, "seed": 1, "min_keep": 3}
    return "".join(sorted(set(server("/completion", **body, **(OFF | settings))["content"])))


seen = {name: drawn(**{name: value}) for name, value in (("top_p", 0.1), ("min_p", 1.0), ("top_k", 1))}
print("tokens drawn with min_keep 3 after each cut:", seen)
assert seen == {"top_p": "abc", "min_p": "abc", "top_k": "a"}, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
