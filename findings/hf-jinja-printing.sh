#!/usr/bin/env bash
# @huggingface/jinja 0.5.11: values print as JavaScript's, not as Python's.
#
# Guess: a chat template that prints a boolean, none or a list gives the prompt that transformers gives.
# Seen:  true instead of True, nothing instead of None, JSON with double quotes instead of Python's lists.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/jinja@0.5.11
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const { Template } = require("@huggingface/jinja");

// A template, what Jinja2 3.1.6 makes of it (set up as transformers does), what came out here.
const cases = [
  ["{{ true }}", "True", "true"],
  ["{{ none }}|{{ [none] | join }}", "None|None", "|"],
  ["{{ [1, 'a', none] }}", "[1, 'a', None]", '[1, "a", null]'],
  ["{{ {'strict': false} }}", "{'strict': False}", '{"strict": false}'],
  ["{{ 'x' ~ true }}", "xTrue", "xtrue"],
];
for (const [template, jinja2, expected] of cases) {
  const seen = new Template(template).render({});
  console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JAVASCRIPT
node "$folder/run.cjs"
