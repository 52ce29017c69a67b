#!/usr/bin/env bash
# @huggingface/jinja 0.5.11: a remainder has the sign of what is divided.
#
# Guess: `%` goes with `//`, as in Python: (a // b) * b + a % b is a.
# Seen:  -7 % 3 is -1 and 7 % -3 is 1 (Jinja2: 2 and -2), though -7 // 3 is -3 as in Python, so the two do not add up.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/jinja@0.5.11
cat > "$folder/run.cjs" <<'JAVASCRIPT'
const assert = require("node:assert");
const { Template } = require("@huggingface/jinja");

// A template, what Jinja2 3.1.6 makes of it (set up as transformers does), what came out here.
const cases = [
  ["{{ -7 // 3 }} {{ -7 % 3 }}", "-3 2", "-3 -1"],
  ["{{ 7 % -3 }}", "-2", "1"],
  ["{{ (-7 // 3) * 3 + -7 % 3 }}", "-7", "-10"],
];
for (const [template, jinja2, expected] of cases) {
  const seen = new Template(template).render({});
  console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JAVASCRIPT
node "$folder/run.cjs"
