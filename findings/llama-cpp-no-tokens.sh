#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a request for no tokens gets one.
#
# Guess: n_predict: 0 reads the prompt into the cache and writes nothing, as the server's README says.
# Seen:  one token is written, as for n_predict: 1, and counted; max_tokens: 0 of the OpenAI path too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.9})
server = Server(f"{sys.argv[1]}/x.gguf")
own = server("/completion", prompt="abc", n_predict=0, temperature=0)
openai = server("/v1/completions", prompt="abc", max_tokens=0, temperature=0)
seen = [(own["content"], own["tokens_predicted"], own["stop_type"])]
choice = openai["choices"][0]
seen.append((choice["text"], openai["usage"]["completion_tokens"], choice["finish_reason"]))
print("text, tokens and reason of the end for no tokens:", seen)
assert seen == [("a", 1, "limit"), ("a", 1, "length")], "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
