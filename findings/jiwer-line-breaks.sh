#!/usr/bin/env bash
# jiwer 4.0.0: words are split at spaces alone, so an answer in two lines has no word right.
#
# Guess: a line break or a tab between words is white space, and the word error rate of an answer that
#        has one in place of a space is 0.
# Seen:  the words at both sides are one word: "yes", a line break and "no" against "yes no" has an
#        error rate of 1, the other way round of 2. Several spaces are one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jiwer==4.0.0 rapidfuzz==3.14.6
"$folder/venv/bin/python" - <<'PYTHON'
import jiwer

plain = "yes no"
for between, expected in [(" ", (0, 0)), ("   ", (0, 0)), ("\n", (1, 2)), ("\t", (1, 2))]:
    text = f"yes{between}no"
    seen = jiwer.wer(plain, text), jiwer.wer(text, plain)
    print(repr(text), "against 'yes no', and the other way round:", seen)
    assert seen == expected, "the behaviour has changed"
poem = "roses are red\nviolets are blue\nsugar is sweet"
seen = jiwer.wer(poem, poem.replace("\n", " "))
print("three lines against one:", seen)
assert round(seen, 3) == round(4 / 7, 3), "the behaviour has changed"
PYTHON
