#!/usr/bin/env bash
# huggingface-hub 2.4.0 (Python): a streamed chat whose text holds U+2028 or U+0085 can't be read.
#
# Guess: each line of the event stream is one event. Both characters may stand in its JSON as they are.
# Seen:  InferenceClient cuts lines at U+2028, U+2029 and U+0085 too and refuses the half of an event. Escaped as
#        \u2028 they arrive. OpenAI's client (openai 3.57.0) reads the same stream either way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check huggingface-hub==2.4.0 openai==3.57.0
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import json
import threading

import openai
from huggingface_hub import InferenceClient

reply = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        choice = {"index": 0, "delta": {"role": "assistant", "content": reply["text"]}, "finish_reason": None}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        event = json.dumps(chunk, ensure_ascii=reply["escaped"])
        self.wfile.write(f"data: {event}\n\ndata: [DONE]\n\n".encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/v1"
asked = [{"role": "user", "content": "x"}]
hub = InferenceClient(base_url=address, api_key="none")
other = openai.OpenAI(base_url=address, api_key="none", max_retries=0)


def read(chat, text, escaped):
    reply.update(text=text, escaped=escaped)
    try:
        return "".join(chunk.choices[0].delta.content for chunk in chat())
    except json.JSONDecodeError:
        return "refused"


def by_hub():
    return hub.chat_completion(asked, stream=True)


def by_openai():
    return other.chat.completions.create(model="m", messages=asked, stream=True)


for name, mark in (("U+2028", "\u2028"), ("U+2029", "\u2029"), ("U+0085", "\x85"), ("U+00A0", "\xa0")):
    text = f"one{mark}two"
    seen = read(by_hub, text, False), read(by_hub, text, True)
    right = read(by_openai, text, False), read(by_openai, text, True)
    print(name, "as it is, escaped, by huggingface-hub:", *map(ascii, seen), "by openai:", *map(ascii, right))
    assert seen == (text if name == "U+00A0" else "refused", text), "the behaviour has changed"
    assert right == (text, text), "the behaviour of openai has changed"
PYTHON
