#!/usr/bin/env bash
# parse-sse 0.1.0 (npm): an event that the connection cut off is passed on, one of an empty text is dropped.
#
# Guess: by the standard that it names, what no blank line ends is discarded, and "data:" alone is an event with an
#        empty text.
# Seen:  the other way around: the half of a JSON document at the end of a broken stream comes as an event, and
#        events with empty data don't come. eventsource-parser 3.1.1 is right about both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    parse-sse@0.1.0 eventsource-parser@3.1.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createParser } from "eventsource-parser";
import { parseServerSentEvents } from "parse-sse";

const cases = [
    ['data: {"a": 1}\n\ndata: {"a": 2, "b', ['{"a": 1}', '{"a": 2, "b'], ['{"a": 1}']],
    ["data: x\n\ndata:\n\ndata: y\n\n", ["x", "y"], ["x", "", "y"]],
    ["data: x\n\ndata: y\n\n", ["x", "y"], ["x", "y"]],
];
for (const [body, expected, standard] of cases) {
    const headers = { "content-type": "text/event-stream" };
    const seen = [];
    for await (const { data } of parseServerSentEvents(new Response(body, { headers }))) seen.push(data);
    const right = [];
    createParser({ onEvent: ({ data }) => right.push(data) }).feed(body);
    console.log(JSON.stringify(body), "seen:", JSON.stringify(seen), "by the standard:", JSON.stringify(right));
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
    assert.deepStrictEqual(right, standard);
}
NODE
node "$folder/look.mjs"
