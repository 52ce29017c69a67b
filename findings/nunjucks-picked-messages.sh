#!/usr/bin/env bash
# nunjucks 3.2.4 (npm): a template that picks messages of a role picks others, without an error.
#
# Guess: selectattr with a test and a condition in a loop pick what they pick in Jinja2, or are refused.
# Seen:  selectattr passes over the test and its value and keeps both messages; a loop with a condition runs
#        not once; an empty list is true, so "no messages" isn't noticed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    nunjucks@3.2.4
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import nunjucks from "nunjucks";

const environment = new nunjucks.Environment(null, { autoescape: false });
const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello" },
];
// A template, what Jinja2 3.1.6 makes of it, what came out here.
const cases = [
    ['{{ messages | selectattr("role", "equalto", "user") | length }}', "1", "2"],
    ['{% for m in messages if m.role == "user" %}{{ m.content }}{% endfor %}', "Hello", ""],
    ["{% if [] %}some{% else %}none{% endif %}", "none", "some"],
    ["{{ messages[-1].content }}", "Hello", ""],
];
for (const [template, jinja2, expected] of cases) {
    const seen = environment.renderString(template, { messages });
    console.log(template, "| Jinja2:", JSON.stringify(jinja2), "| seen:", JSON.stringify(seen));
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
