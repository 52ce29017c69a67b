#!/usr/bin/env bash
# strsimpy 0.2.1: the n-gram distance depends on which text comes first.
#
# Guess: two texts have one distance, whichever comes first.
# Seen:  from "yes" to "yes, it is" it is 0.55, back it is 0.7, the seven added letters of ten. Texts of one length have
#        the same both ways.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check strsimpy==0.2.1
"$folder/venv/bin/python" - <<'PYTHON'
from strsimpy.ngram import NGram

cases = [
    ("yes", "yes, it is", 0.55, 0.7),
    ("the cat", "the cat sat down", 0.4688, 0.5625),
    ("42", "The answer is 42", 0.7188, 0.9062),
    ("cat", "car", None, None),
]
for first, second, there, back in cases:
    seen = NGram(2).distance(first, second), NGram(2).distance(second, first)
    print(repr(first), repr(second), "there:", round(seen[0], 4), "back:", round(seen[1], 4))
    if there is None:
        assert seen[0] == seen[1]
    else:
        assert [round(value, 4) for value in seen] == [there, back], "the behaviour has changed"
PYTHON
