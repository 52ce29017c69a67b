#!/usr/bin/env bash
# llm-chunk 0.0.1 (npm): the last chunk is longer than the longest.
#
# Guess: a chunk has at most `maxLength` characters, or is one word.
# Seen:  the last chunk has all that is left: of a text of 153 characters at most 10 give one of 112. Paragraphs are
#        joined without a break, "Haha" and "Second" to "HahaSecond", and in 3.50 a sentence ends behind "3.".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" llm-chunk@0.0.1
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { chunk } from "llm-chunk";

const text =
    "Hello World.\nThis is\n a test sentence! Have a good day? Haha. Haha\n\n" +
    "Second paragraph is here. It costs 3.50 dollars, e.g. much. Dr. Smith said so.\n\nThird";
for (const [maxLength, expected] of [[20, 78], [10, 112]]) {
    const chunks = chunk(text, { maxLength });
    console.log("at most", maxLength, "characters:", JSON.stringify(chunks), "the last:", chunks.at(-1).length);
    assert.strictEqual(chunks.at(-1).length, expected, "the behaviour has changed");
    assert(chunks.join("").includes("HahaSecond"), "the behaviour has changed");
}
const sentences = chunk(text, { splitter: "sentence" });
console.log("sentences:", JSON.stringify(sentences));
assert(sentences.includes("It costs 3."), "the behaviour has changed");
NODE
node "$folder/look.mjs"
