#!/usr/bin/env bash
# guidance 0.3.1: with OpenAI's API a temperature of 0 isn't sent.
#
# Guess: gen(temperature=0) asks the server for temperature 0, as it does for 0.5.
# Seen:  the field is left out, as without a temperature, so the server draws at its default, which is 1.
#        On a local engine 0 is the likeliest token, and it is the default there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    guidance==0.3.1 openai==3.57.0
"$folder/venv/bin/python" -W ignore - 2>/dev/null <<'PYTHON'
import http.server
import json
import threading

from guidance import assistant, gen, models, user

asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta, reason in (({"role": "assistant", "content": "hi"}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for temperature, expected in ((None, None), (0.5, 0.5), (0, None), (0.0, None)):
    model = models.OpenAI("m", api_key="none", base_url=f"http://127.0.0.1:{server.server_port}/v1", echo=False)
    with user():
        model += "hello"
    with assistant():
        model += gen("answer", temperature=temperature)
    seen = asked[-1].get("temperature")
    print("temperature", temperature, "is sent as", seen, "for", repr(model["answer"]))
    assert seen == expected, "the behaviour has changed"
engine = models.Mock(echo=False)
_ = engine + "x" + gen("answer", max_tokens=2) + gen("more", max_tokens=1, temperature=0)
seen = engine._interpreter.engine.called_temperatures
print("temperatures on a local engine:", seen)
assert set(seen) == {0}, "the behaviour has changed"
PYTHON
