#!/usr/bin/env bash
# budtiktok 0.1.0: a BPE file made as SentencePiece's gives <unk> for spaces and bytes.
#
# Guess: "the a" is the tokens ▁the and ▁a, as in Llama's and Gemma's files, a letter outside is its bytes, and the
#        ids decode to the text.
# Seen:  "the a" is the, <unk> and a; a line break and the two bytes of é are <unk>. The right ids decode to "thea", and
#        bytes come as <0xC3>.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check budtiktok==0.1.0 tokenizers==0.23.3 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json

import budtiktok
from tokenizers import Tokenizer

vocabulary = {"<unk>": 0} | {f"<0x{byte:02X}>": byte + 1 for byte in range(256)}
for token in ("▁", "h", "e", "t", "he", "the", "▁the", "a", "▁a"):
    vocabulary[token] = len(vocabulary)
space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
back = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
file = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, space]},
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]},
    "model": {
        "type": "BPE",
        "dropout": None,
        "unk_token": "<unk>",
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": [["h", "e"], ["t", "he"], ["▁", "the"], ["▁", "a"]],
    },
}
with open("x.json", "w") as out:
    json.dump(file, out)
right, tokenizer = Tokenizer.from_file("x.json"), budtiktok.Tokenizer.from_file("x.json")
cases = [
    ("the a", ["▁the", "▁a"], ["the", "<unk>", "a"], "thea"),
    ("\n", ["▁", "<0x0A>"], ["<unk>"], "<0x0A>"),
    ("thé", ["▁", "t", "h", "<0xC3>", "<0xA9>"], ["t", "h", "<unk>", "<unk>"], "th<0xC3><0xA9>"),
]
for text, tokens, changed, decoded in cases:
    good = right.encode(text)
    seen = [right.id_to_token(index) for index in tokenizer.encode(text, add_special_tokens=True).ids]
    back = tokenizer.decode(good.ids)
    print(repr(text), "tokenizers:", good.tokens, "budtiktok:", seen, "decoded:", repr(back))
    assert good.tokens == tokens and right.decode(good.ids) == text
    assert seen == changed, "the behaviour has changed"
    assert back == decoded, "the behaviour has changed"
PYTHON
