#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a message ended by a stop sequence says that its turn ended.
#
# Guess: /v1/messages gives Anthropic's reason `stop_sequence` where one was met, and `end_turn` at the model's own end.
# Seen:  `end_turn` in both, whole and streamed; the field `stop_sequence` beside it has the sequence.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 1})
server = Server(f"{sys.argv[1]}/x.gguf")
messages = [{"role": "user", "content": "abc"}]
cases = [({"stop_sequences": ["aaa"]}, ("end_turn", "aaa")), ({}, ("max_tokens", None))]
for settings, expected in cases:
    answer = server("/v1/messages", messages=messages, max_tokens=6, temperature=0, **settings)
    seen = answer["stop_reason"], answer["stop_sequence"]
    print(settings, answer["content"], "stop_reason, stop_sequence:", seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
