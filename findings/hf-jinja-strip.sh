#!/usr/bin/env bash
# @huggingface/jinja 0.5.11: strip and its kin ignore which characters to strip.
#
# Guess: `lstrip('\n')` takes line breaks alone, as templates of thinking models use it; anything else is refused.
# Seen:  the argument is ignored in silence: spaces go as well, and `strip('x')` strips no x.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/jinja@0.5.11
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const { Template } = require("@huggingface/jinja");

// A template, what Jinja2 3.1.6 makes of it (set up as transformers does), what came out here.
const cases = [
  ["[{{ '\n  code'.lstrip('\n') }}]", "[  code]", "[code]"],
  ["[{{ 'code  \n'.rstrip('\n') }}]", "[code  ]", "[code]"],
  ["[{{ 'xxabxx'.strip('x') }}]", "[ab]", "[xxabxx]"],
];
for (const [template, jinja2, expected] of cases) {
  const seen = new Template(template).render({});
  console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JAVASCRIPT
node "$folder/run.cjs"
