#!/usr/bin/env bash
# chatlas 0.23.0: top_k=5 asks OpenAI for the log-probabilities of five tokens.
#
# Guess: top_k is sent, or a warning says that the provider doesn't support it, as it does for seed.
# Seen:  ChatOpenAI takes it, without a warning, and sends it as top_logprobs, so tokens are drawn from all there are;
#        the API's most is 20 there, so a top_k of 40 is refused. ChatOpenAICompletions warns and leaves it out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    chatlas==0.23.0 openai==3.57.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import chatlas

TEXT = {"type": "output_text", "text": "hi", "annotations": []}
MESSAGE = {"type": "message", "id": "1", "role": "assistant", "status": "completed", "content": [TEXT]}
ANSWER = {"id": "1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [MESSAGE]}
ANSWER |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
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
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    chat = chatlas.ChatOpenAI(model="gpt-4o", base_url=f"{address}/v1", api_key="x")
    other = chatlas.ChatOpenAICompletions(model="gpt-4o", base_url=f"{address}/v1", api_key="x")
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    chat.set_model_params(top_k=5, temperature=0.7)
    said = [str(warning.message) for warning in warned]
    other.set_model_params(top_k=5)
    later = [str(warning.message) for warning in warned[len(said) :]]
chat.chat("x", echo="none", stream=False)
print("ChatOpenAI warns:", said, "sends:", sent[-1])
print("ChatOpenAICompletions warns:", later)
assert not said and "top_k" not in sent[-1], "the behaviour has changed"
assert (sent[-1]["top_logprobs"], sent[-1]["temperature"]) == (5, 0.7), "the behaviour has changed"
assert len(later) == 1 and "top_k" in later[0]
PYTHON
