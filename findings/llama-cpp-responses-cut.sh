#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): a response that was cut off says that it's complete.
#
# Guess: /v1/responses gives OpenAI's status `incomplete` and a reason where max_output_tokens ends the text.
# Seen:  `completed`, for the response and its message, without `incomplete_details`, so nothing tells a cut text from
#        a whole one. /v1/chat/completions has `length` for the same text.
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
answer = server("/v1/responses", input="abc", max_output_tokens=3, temperature=0)
[message] = answer["output"]
text = message["content"][0]["text"]
print("response:", text, answer["status"], message["status"], answer.get("incomplete_details"))
assert text == "aaa" and answer["usage"]["output_tokens"] == 3
assert answer["status"] == message["status"] == "completed", "the behaviour has changed"
assert answer.get("incomplete_details") is None, "the behaviour has changed"
messages = [{"role": "user", "content": "abc"}]
[choice] = server("/v1/chat/completions", messages=messages, max_tokens=3, temperature=0)["choices"]
print("chat completion:", choice["message"]["content"], choice["finish_reason"])
assert choice["finish_reason"] == "length"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
