#!/usr/bin/env bash
# @server-sent-stream/parser 1.0.4 (npm): U+2028 and U+2029 in an event cut its text.
#
# Guess: a line ends at a line feed or a carriage return alone, so U+2028, which JSON may hold as it is, is text.
# Seen:  the rest of the line behind U+2028 or U+2029 is dropped in silence, so a JSON document ends in the middle.
#        U+0085 is kept. event-stream-parser 1.0.2 keeps all three.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @server-sent-stream/parser@1.0.4 event-stream-parser@1.0.2
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const parser = require("@server-sent-stream/parser");
const { parse } = require("event-stream-parser");

globalThis.MessageEvent ??= class extends Event {
    constructor(type, settings) {
        super(type);
        Object.assign(this, settings);
    }
};

async function main() {
    for (const [name, letter] of Object.entries({ "U+2028": "\u2028", "U+2029": "\u2029", "U+0085": "\u0085" })) {
        const data = JSON.stringify({ text: `a${letter}b` });
        const stream = `data: ${data}\n\n`;
        const seen = [];
        new (parser.default ?? parser)((text) => seen.push(text)).push(stream);
        const right = [];
        for await (const event of await parse(new Response(stream).body)) right.push(event.data);
        console.log(name, "seen:", seen);
        assert.deepStrictEqual(right, [data]);
        assert.deepStrictEqual(seen, [name === "U+0085" ? data : '{"text":"a'], "the behaviour has changed");
    }
}
main();
NODE
node "$folder/look.cjs"
