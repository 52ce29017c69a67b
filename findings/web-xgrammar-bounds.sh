#!/usr/bin/env bash
# @mlc-ai/web-xgrammar 0.1.27: a bound on one side lets other numbers pass, and drops decimals.
#
# Guess: an integer with `minimum: 5` is at least 5, a number with `minimum: 0` may have decimals.
# Seen:  3 is accepted for a minimum of 5, 0.5 refused for a minimum of 0, -1.6 accepted between -1.5 and 2.5.
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
    [{ type: "integer", minimum: 5 }, "3", true],
    [{ type: "integer", minimum: 15 }, "3", false],
    [{ type: "integer", minimum: 5, maximum: 9 }, "3", false],
    [{ type: "integer", exclusiveMinimum: 5 }, "3", true],
    [{ type: "number", minimum: 0 }, "5", true],
    [{ type: "number", minimum: 0 }, "0.5", false],
    [{ type: "number", minimum: 0, maximum: 1 }, "0.5", true],
    [{ type: "number", minimum: -1.5, maximum: 2.5 }, "-1.6", true],
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
