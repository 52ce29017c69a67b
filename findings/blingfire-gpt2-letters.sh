#!/usr/bin/env bash
# blingfire 0.1.8, tiktoken 1.0.22 (npm): in GPT-2's tokens "à" is half a letter.
#
# Guess: gpt2.bin gives GPT-2's ids, or at least tokens that decode to the text.
# Seen:  a byte of A0 is taken for a space of Latin-1: "voilà" decodes to "voil" and U+FFFD, "Рим" to U+FFFD, a space
#        and "им", "①" to half of it. So it is for each letter with that byte: à, Р, ठ, ①; others are right.
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
texts = ["voilà", "déjà vu", "Рим", "①", "pâté", "мир"]
ids = {text: blingfire.text_to_ids(model, text, 99, 0, no_padding=True).tolist() for text in texts}
pathlib.Path(sys.argv[1], "ids.json").write_text(json.dumps(ids))
PYTHON
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { get_encoding: encoding } = require("tiktoken");

const ids = require("./ids.json");
const gpt2 = encoding("gpt2");
const expected = {
    voilà: " voil\ufffd",
    "déjà vu": " déj\ufffd vu",
    Рим: " \ufffd им",
    "①": " \ufffd",
    pâté: " pâté",
    мир: " мир",
};
for (const [text, seen] of Object.entries(ids)) {
    const back = new TextDecoder().decode(gpt2.decode(new Uint32Array(seen)));
    const right = [...gpt2.encode(` ${text}`)];
    console.log(text, "blingfire:", seen.join(), JSON.stringify(back), "GPT-2:", right.join());
    assert.strictEqual(back, expected[text], "the behaviour has changed");
    assert.strictEqual(seen.join() === right.join(), back === ` ${text}`);
}
NODE
node "$folder/look.cjs"
