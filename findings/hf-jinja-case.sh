#!/usr/bin/env bash
# @huggingface/jinja 0.5.11: capitalize keeps capitals, title breaks at apostrophes, unique minds case.
#
# Guess: filters of a name do what Jinja2's do, or are refused.
# Seen:  `DRY`|capitalize stays DRY, `they're`|title is They'Re, and unique keeps both `a` and `A`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/jinja@0.5.11
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const { Template } = require("@huggingface/jinja");

// A template, what Jinja2 3.1.6 makes of it (set up as transformers does), what came out here.
const cases = [
  ["{{ 'hello DRY' | capitalize }}", "Hello dry", "Hello DRY"],
  ["{{ \"they're\" | title }}", "They're", "They'Re"],
  ["{{ ['a', 'A'] | unique | list | length }}", "1", "2"],
];
for (const [template, jinja2, expected] of cases) {
  const seen = new Template(template).render({});
  console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JAVASCRIPT
node "$folder/run.cjs"
