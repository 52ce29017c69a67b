#!/usr/bin/env bash
# onnxruntime-extensions 0.15.2: text that a tokenizer's Split pattern doesn't match is dropped.
#
# Guess: a tokenizer.json whose Split isolates digits by threes, as DeepSeek's does first, gives Hugging Face's
#        ids.
# Seen:  only what the pattern matches is encoded: of "the cat" nothing is left, of "in 1984" the digits. No error.
#        A pattern that matches all text, as Qwen's does, loses nothing.
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

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def split(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


WHOLE = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
cases = [
    (r"\p{N}{1,3}", "the cat", []),
    (r"\p{N}{1,3}", "in 1984", ["1", "9", "8", "4"]),
    (WHOLE, "in 1984", ["i", "n", "Ġ", "1", "9", "8", "4"]),
]
for number, (pattern, text, expected) in enumerate(cases):
    folder = f"{sys.argv[1]}/{number}"
    write(folder, pre_tokenizer={"type": "Sequence", "pretokenizers": [split(pattern), BYTES]})
    right, seen = both(folder, text)
    print(repr(text), "split at", pattern[:10], "Hugging Face:", right, "here:", seen)
    assert "".join(right).replace("Ġ", " ") == text, "the behaviour of tokenizers has changed"
    assert seen == expected, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder"
