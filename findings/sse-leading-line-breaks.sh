#!/usr/bin/env bash
# fetch-event-stream 0.1.6, @microsoft/fetch-event-source 2.0.1 (npm), aiosseclient 0.1.8, sseclient 0.0.27:
# a streamed text loses the line breaks at its beginning.
#
# Guess: data lines are joined by line breaks, so two empty ones are "\n", as the HTML standard says.
# Seen:  all four join a line only to text that isn't empty: "\n" is "", "\n- item" is "- item". Line breaks in
#        the middle and at the end stay. eventsource-parser 3.1.1, parse-sse 0.1.0 and httpx-sse 0.4.3 are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    fetch-event-stream@0.1.6 @microsoft/fetch-event-source@2.0.1 eventsource-parser@3.1.1 parse-sse@0.1.0
for package in sseclient==0.0.27 aiosseclient==0.1.8; do
    python3 -m venv "$folder/${package%%=*}"
    "$folder/${package%%=*}/bin/pip" install --quiet --disable-pip-version-check "$package" \
        requests==2.32.5 aiohttp==3.13.5 httpx==0.28.1 httpx-sse==0.4.3
done
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { createParser } from "eventsource-parser";
import { events } from "fetch-event-stream";
import { parseServerSentEvents } from "parse-sse";

const texts = ["\n", "\n- item", "a\n\nb", "a\n\n"];
const body = texts.map((text) => text.split("\n").map((line) => `data: ${line}\n`).join("") + "\n").join("");
const headers = { "content-type": "text/event-stream" };
const response = () => new Response(body, { headers });
globalThis.document = { addEventListener() {}, removeEventListener() {}, hidden: false };
globalThis.window = globalThis;
const readers = {
    "fetch-event-stream": async (seen) => {
        for await (const event of events(response())) seen.push(event.data);
    },
    "@microsoft/fetch-event-source": (seen) =>
        fetchEventSource("x", { fetch: async () => response(), onmessage: ({ data }) => seen.push(data) }),
    "parse-sse": async (seen) => {
        for await (const event of parseServerSentEvents(response())) seen.push(event.data);
    },
    "eventsource-parser": async (seen) =>
        createParser({ onEvent: ({ data }) => seen.push(data) }).feed(body),
};
for (const [name, read] of Object.entries(readers)) {
    const seen = [];
    await read(seen);
    console.log(name, JSON.stringify(seen));
    const right = ["parse-sse", "eventsource-parser"].includes(name);
    const expected = right ? texts : ["", "- item", "a\n\nb", "a\n\n"];
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
cat >"$folder/look.py" <<'PYTHON'
import asyncio
import http.server
import sys
import threading

TEXTS = ["\n", "\n- item", "a\n\nb", "a\n\n"]
EVENTS = ["".join(f"data: {line}\n" for line in text.split("\n")) + "\n" for text in TEXTS]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write("".join(EVENTS).encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"


def by_sseclient():
    import sseclient

    reader = sseclient.SSEClient(url)
    return [next(reader).data for _ in TEXTS]


def by_aiosseclient():
    from aiosseclient import aiosseclient

    async def read():
        return [event.data async for event in aiosseclient(url)]

    return asyncio.run(read())


def by_httpx_sse():
    import httpx
    import httpx_sse

    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
        return [event.data for event in source.iter_sse()]


for read in (by_sseclient if sys.argv[1] == "sseclient" else by_aiosseclient, by_httpx_sse):
    seen = read()
    print(read.__name__, seen)
    expected = TEXTS if read is by_httpx_sse else ["", "- item", "a\n\nb", "a\n\n"]
    assert seen == expected, "the behaviour has changed"
server.shutdown()
PYTHON
for name in sseclient aiosseclient; do
    "$folder/$name/bin/python" "$folder/look.py" "$name"
done
