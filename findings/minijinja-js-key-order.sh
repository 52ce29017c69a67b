#!/usr/bin/env bash
# minijinja-js 2.11.0 (npm): the names of an object are put in alphabetical order.
#
# Guess: a tool's schema is printed with its names in the order in which they were given, as Jinja2 does, so
#        that a prompt is what the model was trained on.
# Seen:  from JavaScript and within a template they come in alphabetical order, in tojson, items() and loops:
#        content before role, description before name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    minijinja-js@2.11.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { Environment } from "minijinja-js";

const tool = { name: "f", description: "d", parameters: { type: "object" } };
// A template, what Jinja2 3.1.6 makes of it, what came out here.
const cases = [
    [
        "{{ tool | tojson }}",
        '{"name": "f", "description": "d", "parameters": {"type": "object"}}',
        '{"description":"d","name":"f","parameters":{"type":"object"}}',
    ],
    ["{% for key in tool %}{{ key }} {% endfor %}", "name description parameters ", "description name parameters "],
    ["{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "b1a2", "a2b1"],
];
for (const [template, jinja2, expected] of cases) {
    const environment = new Environment();
    environment.enablePyCompat();
    const seen = environment.renderStr(template, { tool });
    console.log(template, "| Jinja2:", jinja2, "| seen:", seen);
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.mjs"
