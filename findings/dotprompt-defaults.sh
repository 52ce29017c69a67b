#!/usr/bin/env bash
# dotprompt 1.1.2 (npm): a prompt's default values aren't used.
#
# Guess: a value that isn't given has the default that the file names for it.
# Seen:  it's empty: with `default: {name: Bob}`, `Hi {{name}}` is `Hi `. The temperature beside it
#        is read. Defaults that the caller gives a second time, as an option, are used.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" dotprompt@1.1.2
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { Dotprompt } = require("dotprompt");

const file = `---
config:
  temperature: 0.5
input:
  schema:
    name: string
  default:
    name: Bob
---
Hi {{name}}`;

async function look() {
    const prompts = new Dotprompt();
    assert.deepEqual(prompts.parse(file).input.default, { name: "Bob" });
    for (const [input, options, expected] of [
        [{}, undefined, "Hi "],
        [{ name: "Ann" }, undefined, "Hi Ann"],
        [{}, { input: { default: { name: "Bob" } } }, "Hi Bob"],
    ]) {
        const { messages, config } = await prompts.render(file, { input }, options);
        console.log("input", input, "options", options, "give", messages[0].content[0].text, config);
        assert.equal(messages[0].content[0].text, expected, "the behaviour has changed");
        assert.equal(config.temperature, 0.5);
    }
}
look();
NODE
node "$folder/look.cjs"
