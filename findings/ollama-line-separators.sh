#!/usr/bin/env bash
# ollama 0.6.3 (Python): a stream whose text holds U+2028 or U+0085 can't be read.
#
# Guess: each line of the stream is one JSON document. Both characters may stand in a JSON string as they are.
# Seen:  lines are cut at U+2028, U+2029 and U+0085 too, so the half of a document is parsed and refused.
#        Escaped as \u2028 they arrive, and so does the answer that isn't streamed. Readers of event streams
#        (httpx-sse 0.4.3) cut at line breaks alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ollama==0.6.3 httpx==0.28.1 httpx-sse==0.4.3
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import json
import threading

import httpx
import httpx_sse
import ollama

reply = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", reply["kind"])
        self.end_headers()
        self.wfile.write(reply["body"].encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"


def chat(text, escaped=False, stream=True):
    message = {"model": "m", "message": {"role": "assistant", "content": text}, "done": True}
    reply.update(kind="application/x-ndjson", body=json.dumps(message, ensure_ascii=escaped) + "\n")
    try:
        asked = [{"role": "user", "content": "x"}]
        answer = ollama.Client(address).chat("m", messages=asked, stream=stream)
        return "".join(part.message.content for part in (answer if stream else [answer]))
    except json.JSONDecodeError:
        return "refused"


for name, mark in (("U+2028", "\u2028"), ("U+2029", "\u2029"), ("U+0085", "\x85"), ("U+00A0", "\xa0")):
    text = f"one{mark}two"
    seen = chat(text), chat(text, escaped=True), chat(text, stream=False)
    print(name, "streamed, escaped, whole:", *map(ascii, seen))
    assert seen == (text if name == "U+00A0" else "refused", text, text), "the behaviour has changed"
reply.update(kind="text/event-stream", body="data: one\u2028two\x85three\n\n")
with httpx.Client() as client, httpx_sse.connect_sse(client, "POST", address, content=b"") as events:
    seen = [event.data for event in events.iter_sse()]
print("as an event stream:", ascii(seen))
assert seen == ["one\u2028two\x85three"], "the behaviour has changed"
PYTHON
