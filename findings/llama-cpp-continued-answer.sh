#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): an answer that was begun comes back with its beginning, streamed without.
#
# Guess: where the last message is the assistant's it's continued, and one request gives one text, streamed or whole.
# Seen:  of /v1/chat/completions and /v1/messages alike the whole answer has the beginning that was sent, the streamed
#        one the continuation alone; usage counts the continuation in both.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import json
import sys
import urllib.request

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.5, "b": 0.3, "c": 0.2})
server = Server(f"{sys.argv[1]}/x.gguf")
messages = [{"role": "user", "content": "abc"}, {"role": "assistant", "content": "bcb"}]
body = {"messages": messages, "max_tokens": 3, "temperature": 0}


def streamed(path):
    request = urllib.request.Request(
        server.server.listening_address + path,
        json.dumps({**body, "stream": True}).encode(),
        {"Content-Type": "application/json"},
    )
    lines = urllib.request.urlopen(request).read().decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


whole = server("/v1/chat/completions", **body)
text = whole["choices"][0]["message"]["content"]
pieces = "".join(event["choices"][0]["delta"].get("content") or "" for event in streamed("/v1/chat/completions"))
print("chat completion, begun with bcb: whole", text, "streamed", pieces, whole["usage"]["completion_tokens"], "tokens")
assert (text, pieces, whole["usage"]["completion_tokens"]) == ("bcbaaa", "aaa", 3), "the behaviour has changed"
text = server("/v1/messages", **body)["content"][0]["text"]
deltas = [event["delta"] for event in streamed("/v1/messages") if event["type"] == "content_block_delta"]
pieces = "".join(delta["text"] for delta in deltas)
print("message, begun with bcb: whole", text, "streamed", pieces)
assert (text, pieces) == ("bcbaaa", "aaa"), "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
