#!/usr/bin/env bash
# llama-index-llms-openai-like 0.8.1: some settings of a call win over the constructor's, others don't.
#
# Guess: chat(messages, temperature=0, max_tokens=7) sends both, whatever the constructor has.
# Seen:  the temperature is sent, the constructor's max_tokens stays, in silence. Settings in the constructor's
#        additional_kwargs win over those of a call: seed, stop and top_p stay what they were.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    llama-index-llms-openai-like==0.8.1 llama-index-llms-openai==0.8.3 llama-index-core==0.14.25 openai==2.54.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

MESSAGE = {"role": "assistant", "content": "hi"}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}
sent = []


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
asked = {"temperature": 0, "max_tokens": 7, "seed": 2, "stop": ["END"], "top_p": 0.9}
seen = {}
for kept in ({}, {"seed": 1, "stop": ["STOP"], "top_p": 0.5}):
    model = OpenAILike(
        model="m",
        api_base=address,
        api_key="x",
        is_chat_model=True,
        temperature=0.7,
        max_tokens=5,
        additional_kwargs=kept,
    )
    model.chat([ChatMessage(role="user", content="x")], **asked)
    seen = {name: sent[-1][name] for name in asked}
    print("constructor: temperature 0.7, max_tokens 5", kept, "call:", asked, "sent:", seen)
    assert seen == {**asked, "max_tokens": 5, **kept}, "the behaviour has changed"
PYTHON
