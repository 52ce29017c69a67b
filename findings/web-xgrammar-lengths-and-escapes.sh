#!/usr/bin/env bash
# @mlc-ai/web-xgrammar 0.1.27: a bound on a string's length takes away its escapes.
#
# Guess: maxLength counts characters, however they are written.
# Seen:  a string with maxLength may hold no escape, so no line break, quotation mark or backslash.
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
    [{ type: "string" }, '"\\n"', true],
    [{ type: "string", maxLength: 3 }, '"a"', true],
    [{ type: "string", maxLength: 3 }, '"\\n"', false],
    [{ type: "string", maxLength: 3 }, '"\\""', false],
    [{ type: "string", minLength: 1 }, '"\\\\"', false],
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
