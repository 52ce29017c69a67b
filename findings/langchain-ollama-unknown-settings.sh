#!/usr/bin/env bash
# langchain-ollama 1.1.0 (Python): min_p is taken and not sent.
#
# Guess: a setting that Ollama has is sent, one that the class doesn't know is refused.
# Seen:  min_p, presence_penalty, frequency_penalty and typical_p, all options of Ollama, are taken by ChatOllama and
#        OllamaLLM and dropped in silence; so is temperature if it's misspelt. top_k, top_p and repeat_penalty are sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    langchain-ollama==1.1.0 langchain-core==1.8.3 ollama==0.6.3
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain_ollama import ChatOllama, OllamaLLM

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
known = {"temperature": 0.7, "top_k": 3, "top_p": 0.5, "repeat_penalty": 1.5}
unknown = {"min_p": 0.1, "presence_penalty": 0.5, "frequency_penalty": 0.5, "typical_p": 0.5, "temprature": 0.1}
for kind in (ChatOllama, OllamaLLM):
    kind(model="m", base_url=address, **known, **unknown).invoke("x")
    print(kind.__name__, "sends", sent[-1]["options"], "of", {**known, **unknown})
    assert sent[-1]["options"] == known, "the behaviour has changed"
    assert not any(name in json.dumps(sent[-1]) for name in unknown), "the behaviour has changed"
PYTHON
