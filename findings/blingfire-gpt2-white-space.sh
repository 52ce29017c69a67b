#!/usr/bin/env bash
# blingfire 0.1.8, tiktoken 1.0.22 (npm): GPT-2's tokens of code have no line breaks.
#
# Guess: gpt2.bin gives GPT-2's ids; code keeps its lines and its indentation.
# Seen:  line breaks, tabs and runs of spaces become one space, those at the end go, and a space comes to the
#        beginning: a function of two lines is one line, a count of 9 tokens for 14. Words by one space in the
#        middle of a line are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    tiktoken@1.0.22
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check blingfire==0.1.8 numpy==2.3.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

import blingfire

model = blingfire.load_model(str(pathlib.Path(blingfire.__file__).parent / "gpt2.bin"))
texts = ["def f(x):\n    return x+1\n", "foo\tbar", "a  b ", "Hello world", " Hello world, it's 12,345."]
ids = {text: blingfire.text_to_ids(model, text, 99, 0, no_padding=True).tolist() for text in texts}
pathlib.Path(sys.argv[1], "ids.json").write_text(json.dumps(ids))
PYTHON
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { get_encoding: encoding } = require("tiktoken");

const ids = require("./ids.json");
const gpt2 = encoding("gpt2");
const expected = [" def f(x): return x+1", " foo bar", " a b", " Hello world", " Hello world, it's 12,345."];
Object.entries(ids).forEach(([text, seen], at) => {
    const back = new TextDecoder().decode(gpt2.decode(new Uint32Array(seen)));
    const right = [...gpt2.encode(text)];
    console.log(JSON.stringify(text), "blingfire:", seen.join(), JSON.stringify(back), "GPT-2:", right.join());
    assert.strictEqual(back, expected[at], "the behaviour has changed");
    assert.strictEqual(seen.join() === right.join(), at === 4, "the behaviour has changed");
});
const [code] = Object.keys(ids);
assert.deepStrictEqual([ids[code].length, gpt2.encode(code).length], [9, 14], "the behaviour has changed");
NODE
node "$folder/look.cjs"
