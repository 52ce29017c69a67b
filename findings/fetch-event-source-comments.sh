#!/usr/bin/env bash
# @microsoft/fetch-event-source 2.0.1 (npm): a comment, which servers send to keep a stream open, is a message.
#
# Guess: onmessage is called for events with data alone, as the HTML standard says.
# Seen:  it is called with an empty text for each comment, each blank line too many and each event that has a name
#        but no data, so JSON.parse of a message fails while a server waits. eventsource-parser 3.1.1 is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @microsoft/fetch-event-source@2.0.1 eventsource-parser@3.1.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { createParser } from "eventsource-parser";

globalThis.document = { addEventListener() {}, removeEventListener() {}, hidden: false };
globalThis.window = globalThis;
const bodies = {
    "a comment": [': PROCESSING\n\ndata: {"a": 1}\n\n', ["", '{"a": 1}']],
    "a blank line": ["\ndata: 1\n\n\ndata: 2\n\n", ["", "1", "", "2"]],
    "an event without data": ["event: ping\n\ndata: 1\n\n", ["", "1"]],
    "data alone": ["data: 1\n\ndata: 2\n\n", ["1", "2"]],
};
for (const [name, [body, expected]] of Object.entries(bodies)) {
    const headers = { "content-type": "text/event-stream" };
    const seen = [];
    await fetchEventSource("x", {
        fetch: async () => new Response(body, { headers }),
        onmessage: ({ data }) => seen.push(data),
    });
    const right = [];
    createParser({ onEvent: ({ data }) => right.push(data) }).feed(body);
    console.log(`${name}: messages ${JSON.stringify(seen)}, by the standard ${JSON.stringify(right)}`);
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
    assert.deepStrictEqual(right, expected.filter(Boolean));
}
NODE
node "$folder/look.mjs"
