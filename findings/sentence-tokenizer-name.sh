#!/usr/bin/env bash
# sentence-tokenizer 1.0.1 (npm): the speaker's name is cut out of words.
#
# Guess: the name that the constructor takes is a label; the sentences joined are the text.
# Seen:  within a sentence its letters become {myname}, once in each run between spaces, in other words too: for Ann,
#        "Ask Anna." is "Ask {myname}a.". Without a name the text stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    sentence-tokenizer@1.0.1
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const Tokenizer = require("sentence-tokenizer");

function sentences(name, text) {
    const tokenizer = new Tokenizer(name);
    tokenizer.setEntry(text);
    return tokenizer.getSentences();
}

const cases = [
    ["Ann", "Ask Anna and Annabel. Done.", ["Ask {myname}a and {myname}abel.", "Done."]],
    ["Max", "The Maximum is set. Call Max.", ["The {myname}imum is set.", "Call {myname}."]],
    ["ed", "We used it.", ["We us{myname} it."]],
    [undefined, "Ask Anna. Call Max.", ["Ask Anna.", "Call Max."]],
];
for (const [name, text, expected] of cases) {
    const seen = sentences(name, text);
    console.log(`${name}: ${JSON.stringify(text)} -> ${JSON.stringify(seen)}`);
    assert.deepStrictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
