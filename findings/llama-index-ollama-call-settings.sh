#!/usr/bin/env bash
# llama-index-llms-ollama 0.11.0: the temperature of a call isn't sent.
#
# Guess: settings of chat(messages, temperature=0.1) are sent in `options` and win over the constructor's, as they do
#        with llama-index-llms-openai-like.
# Seen:  temperature, top_k, seed, stop and `options` itself are dropped in silence by chat and complete; the
#        constructor's 0.7 is sent. An additional_kwargs of the constructor is sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    llama-index-llms-ollama==0.11.0 llama-index-core==0.14.25 ollama==0.6.3
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from llama_index.core.llms import ChatMessage
from llama_index.llms.ollama import Ollama

ANSWER = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "hi"},
    "response": "hi",
    "done": True,
    "done_reason": "stop",
}
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
model = Ollama(
    model="m",
    base_url=address,
    temperature=0.7,
    context_window=1000,
    is_function_calling_model=False,
    additional_kwargs={"top_p": 0.5},
)
message = ChatMessage(role="user", content="x")
calls = {
    "chat": lambda: model.chat([message], temperature=0.1, top_k=3, seed=2, stop=["END"]),
    "chat with options": lambda: model.chat([message], options={"temperature": 0.1}),
    "complete": lambda: model.complete("x", temperature=0.1, stop=["END"]),
}
for name, call in calls.items():
    call()
    print(name, "sends", sent[-1])
    assert sent[-1]["options"] == {"temperature": 0.7, "num_ctx": 1000, "top_p": 0.5}, "the behaviour has changed"
    assert "END" not in json.dumps(sent[-1]), "the behaviour has changed"
PYTHON
