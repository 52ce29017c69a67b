#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): the usage of several prompts is that of the first.
#
# Guess: a completion of a list of prompts counts the tokens of all, as OpenAI's does, and its
#        stream is chunks up to `[DONE]`.
# Seen:  prompts of 6, 2 and 1 tokens with 3 drawn for each are 6 and 3 tokens. Streamed, each
#        prompt has a usage of its own, and between two prompts a chunk is null. Equal prompts of a
#        request with a seed get one text.
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

write(f"{sys.argv[1]}/x.gguf", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
server = Server(f"{sys.argv[1]}/x.gguf")
settings = {"max_tokens": 3, "seed": 1, "top_k": 0, "top_p": 1, "min_p": 0}
answer = server("/v1/completions", prompt=["abcdef", "ab", "a"], **settings)
usage = {name: answer["usage"][name] for name in ("prompt_tokens", "completion_tokens")}
print(len(answer["choices"]), "texts, usage:", usage)
assert len(answer["choices"]) == 3
assert usage == {"prompt_tokens": 6, "completion_tokens": 3}, "the behaviour has changed"
body = {"prompt": ["abcdef", "ab"], "stream": True, "stream_options": {"include_usage": True}, **settings}
request = urllib.request.Request(
    server.server.listening_address + "/v1/completions",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
lines = [line.decode().strip() for line in urllib.request.urlopen(request)]
events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
chunks = [json.loads(event) for event in events if event != "[DONE]"]
counted = [chunk["usage"]["prompt_tokens"] for chunk in chunks if chunk and chunk.get("usage")]
print("streamed:", len(chunks), "chunks, null among them:", chunks.count(None), "prompt tokens:", counted)
assert chunks.count(None) == 1 and counted == [6, 2], "the behaviour has changed"
texts = [choice["text"] for choice in server("/v1/completions", prompt=["ab"] * 4, **settings)["choices"]]
print("four equal prompts:", texts)
assert len(set(texts)) == 1, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
