#!/usr/bin/env bash
# @huggingface/jinja 0.5.11: equal lists and objects are not equal.
#
# Guess: `==` compares lists and objects by what they hold, and a number with true as Python does.
# Seen:  they are compared by identity, so [1] == [1] is false and [1] != [1] is true; 1 == true holds as in Python.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/jinja@0.5.11
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const { Template } = require("@huggingface/jinja");

// A template, what Jinja2 3.1.6 makes of it (set up as transformers does), what came out here.
const cases = [
  ["{{ 1 if [1] == [1] else 0 }}", "1", "0"],
  ["{{ 1 if {'a': 1} == {'a': 1} else 0 }}", "1", "0"],
  ["{{ 1 if [] != [] else 0 }}", "0", "1"],
  ["{% set x = [1] %}{{ 1 if x == x else 0 }}", "1", "1"],
  ["{{ 1 if 1 == true else 0 }}", "1", "1"],
];
for (const [template, jinja2, expected] of cases) {
  const seen = new Template(template).render({});
  console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JAVASCRIPT
node "$folder/run.cjs"
