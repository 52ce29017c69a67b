#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a schema beside a grammar is dropped.
#
# Guess: a completion with both `json_schema` and `grammar` holds both, or is refused.
# Seen:  the grammar alone holds, in silence: with the schema of a number the text is a letter.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import LETTERS, Server, write

write(f"{sys.argv[1]}/x.gguf", {letter: 1 / len(LETTERS) for letter in LETTERS})
server = Server(f"{sys.argv[1]}/x.gguf")
schema = {"type": "number"}
for settings in ({"grammar": 'root ::= "abcd"'}, {"grammar": 'root ::= "abcd"', "json_schema": schema}):
    answer = server("/completion", prompt="abc", n_predict=4, seed=1, **settings)
    print(settings, answer["content"])
    assert answer["content"] == "abcd", "the behaviour has changed"
    assert answer["generation_settings"]["grammar"] == settings["grammar"], "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
