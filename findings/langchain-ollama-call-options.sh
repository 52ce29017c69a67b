#!/usr/bin/env bash
# langchain-ollama 1.1.0 (Python): options of a call take the model's temperature and the stop sequences away.
#
# Guess: options={"num_predict": 3} of a call are added to what the model has, or win over it.
# Seen:  they replace all: temperature, seed and top_k of the constructor and the call's own `stop` are dropped in
#        silence, by ChatOllama and OllamaLLM. temperature=0.9 of a call is a TypeError.
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
settings = {"model": "m", "base_url": address, "temperature": 0.0, "seed": 1, "top_k": 3}
for kind in (ChatOllama, OllamaLLM):
    model = kind(**settings)
    model.invoke("x", stop=["END"])
    whole = sent[-1]["options"]
    model.invoke("x", stop=["END"], options={"num_predict": 3})
    print(kind.__name__, "sends", whole, "and with options", sent[-1])
    assert whole == {"temperature": 0.0, "seed": 1, "top_k": 3, "stop": ["END"]}
    assert sent[-1]["options"] == {"num_predict": 3} and "END" not in json.dumps(sent[-1]), "the behaviour has changed"
    try:
        model.invoke("x", temperature=0.9)
        raise AssertionError("the behaviour has changed")
    except TypeError as error:
        print(kind.__name__, error)
PYTHON
