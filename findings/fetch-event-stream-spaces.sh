#!/usr/bin/env bash
# fetch-event-stream 0.1.6 (npm): a streamed text loses the spaces between its words.
#
# Guess: one space behind "data:" is the format's, what follows is the text's, as the HTML standard says.
# Seen:  all white space at its beginning goes: " world" and indentation lose theirs, an event of a space is
#        empty. eventsource-parser 3.1.1 keeps them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    fetch-event-stream@0.1.6 eventsource-parser@3.1.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { createParser } from "eventsource-parser";
import { events } from "fetch-event-stream";

const pieces = ["Hello", " world", ",", " ", "then", "\tindented", "    by four "];
const body = pieces.map((piece) => `data: ${piece}\n\n`).join("");
const seen = [];
for await (const event of events(new Response(body))) seen.push(event.data);
const right = [];
createParser({ onEvent: (event) => right.push(event.data) }).feed(body);
console.log("sent:              ", JSON.stringify(pieces.join("")));
console.log("fetch-event-stream:", JSON.stringify(seen.join("")));
assert.deepStrictEqual(right, pieces);
const bare = pieces.map((piece) => piece.trimStart());
assert.deepStrictEqual(seen, bare, "the behaviour has changed");
NODE
node "$folder/look.mjs"
