#!/usr/bin/env bash
# @langchain/core 1.4.0 (npm): JSON with a code fence in one of its strings is cut at the fence.
#
# Guess: an answer that is JSON, plain or in a fence, is read as JSON whatever its strings hold.
# Seen:  with code in a fence as a string, plain JSON is read as null. In a fence itself, a string that names
#        three backquotes ends there, without an error: the rest of it is gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    @langchain/core@1.4.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { parseJsonMarkdown } from "@langchain/core/output_parsers";

const fence = "```";
// An answer, what came out here.
const cases = [
    ['{"code":"f()"}', { code: "f()" }],
    [`${fence}json\n{"code":"f()"}\n${fence}`, { code: "f()" }],
    [`{"code":"${fence}js\\nf()\\n${fence}"}`, null],
    [`${fence}json\n{"rule":"use ${fence} for code","n":1}\n${fence}`, { rule: "use" }],
];
for (const [answer, expected] of cases) {
    const seen = parseJsonMarkdown(answer);
    console.log(JSON.stringify(answer), "| seen:", JSON.stringify(seen));
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
