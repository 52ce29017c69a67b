#!/usr/bin/env bash
# onnxruntime-extensions 0.15.2: parts of a tokenizer.json are left out in silence.
#
# Guess: a byte-level tokenizer.json that loads gives Hugging Face's ids.
# Seen:  the normalizers Lowercase, NFKC, Prepend and Replace are dropped; of pre-tokenizers Digits, Whitespace and
#        add_prefix_space are; of added tokens lstrip and single_word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    onnxruntime-extensions==0.15.2 tokenizers==0.23.3
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_tokenizer import both, write


def byte_level(prefix=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": True}


def behind(other):
    return {"type": "Sequence", "pretokenizers": [other, byte_level()]}


replace = {"type": "Replace", "pattern": {"String": "t"}, "content": "c"}
# A name, the parts, a text, its tokens by Hugging Face, and those seen.
cases = [
    ("nothing", {}, "the", "the", "the"),
    ("Lowercase", {"normalizer": {"type": "Lowercase"}}, "THE", "the", "T H E"),
    ("NFKC", {"normalizer": {"type": "NFKC"}}, "１2", "12", "ï ¼ ĳ 2"),
    ("Prepend", {"normalizer": {"type": "Prepend", "prepend": " "}}, "the", "Ġthe", "the"),
    ("Replace", {"normalizer": replace}, "the", "c he", "the"),
    ("Digits", {"pre_tokenizer": behind({"type": "Digits", "individual_digits": True})}, "12", "1 2", "12"),
    ("Whitespace", {"pre_tokenizer": behind({"type": "Whitespace"})}, "a the", "a the", "a Ġthe"),
    ("add_prefix_space", {"pre_tokenizer": byte_level(True)}, "the", "Ġthe", "the"),
    ("lstrip", {"added": {"<x>": {"lstrip": True}}}, "a <x>", "a  <x>", "a Ġ <x>"),
    ("single_word", {"added": {"<x>": {"single_word": True}}}, "a<x>b", "a < x > b", "a <x> b"),
]
for name, parts, text, expected, changed in cases:
    folder = f"{sys.argv[1]}/{name}"
    write(folder, **parts)
    right, seen = both(folder, text)
    print(name, repr(text), "Hugging Face:", right, "here:", seen)
    assert " ".join(right) == expected, "the behaviour of tokenizers has changed"
    assert " ".join(seen) == changed, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder"
