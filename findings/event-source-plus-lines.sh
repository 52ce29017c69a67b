#!/usr/bin/env bash
# event-source-plus 0.1.15 (npm): of an event's lines the last is left, without its spaces.
#
# Guess: lines of data are joined by line breaks, and one space behind the colon is the format's.
# Seen:  each line replaces the one before it, so a text of two paragraphs is its last one; spaces at both ends are
#        taken, so the pieces of "Hello world" join to "Helloworld".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" event-source-plus@0.1.15
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createServer } from "node:http";
import { EventSourcePlus } from "event-source-plus";

const streams = {
    "/lines": "data: one\ndata:\ndata: two\n\n",
    "/spaces": "data: Hello\n\ndata:  world\n\n",
    "/plain": 'data: {"a":1}\n\ndata: [DONE]\n\n',
};
const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(streams[request.url]);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
async function read(path) {
    const seen = [];
    const source = new EventSourcePlus(`http://127.0.0.1:${server.address().port}${path}`, { maxRetryCount: 0 });
    const wanted = streams[path].split("\n\n").length - 1;
    await new Promise((resolve) => {
        const controller = source.listen({
            onMessage({ data }) {
                if (seen.push(data) < wanted) return;
                controller.abort();
                resolve();
            },
        });
    });
    console.log(JSON.stringify(streams[path]), "gives", seen);
    return seen;
}
assert.deepStrictEqual(await read("/plain"), ['{"a":1}', "[DONE]"]);
assert.deepStrictEqual(await read("/lines"), ["two"], "the behaviour has changed");
assert.deepStrictEqual(await read("/spaces"), ["Hello", "world"], "the behaviour has changed");
server.close();
process.exit();
NODE
timeout 60 node "$folder/look.mjs"
