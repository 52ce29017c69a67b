#!/usr/bin/env bash
# @mlc-ai/web-xgrammar 0.1.27: a required name that `properties` does not list is not required.
#
# Guess: every name of `required` has to come, listed or not, as JSON Schema says; or the schema is refused.
# Seen:  an object without it is accepted, and nothing is said; a listed name is held.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @mlc-ai/web-xgrammar@0.1.27
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");

// The build for Node is CommonJS in a package that says "module": it is loaded under another ending.
const library = path.join(__dirname, "node_modules/@mlc-ai/web-xgrammar/lib/index.js");
fs.copyFileSync(library, path.join(__dirname, "xgrammar.cjs"));
const xgrammar = require("./xgrammar.cjs");

const END = 128;
const ascii = Array.from({ length: END }, (_, code) => String.fromCharCode(code));

async function accepts(schema, text) {
  const info = await xgrammar.TokenizerInfo.createTokenizerInfo([...ascii, "</s>"], "raw", false, undefined, [END]);
  const compiler = await xgrammar.GrammarCompiler.createGrammarCompiler(info);
  const grammar = await compiler.compileJSONSchema(JSON.stringify(schema), false, -1, [", ", ": "], false);
  const matcher = await xgrammar.GrammarMatcher.createGrammarMatcher(grammar);
  return [...text].every((character) => matcher.acceptToken(character.charCodeAt(0))) && matcher.acceptToken(END);
}

(async () => {
  const cases = [
    [{ type: "object", properties: { a: { type: "integer" } }, required: ["a"] }, "{}", false],
    [{ type: "object", properties: { a: { type: "integer" } }, required: ["b"] }, '{"a": 1}', true],
  ];
  for (const [schema, text, expected] of cases) {
    const seen = await accepts(schema, text);
    console.log(JSON.stringify(schema), text, seen ? "accepted" : "refused");
    assert.strictEqual(seen, expected, "the behaviour has changed");
  }
  process.exit(0);
})();
JAVASCRIPT
node "$folder/run.cjs"
