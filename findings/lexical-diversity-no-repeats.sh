#!/usr/bin/env bash
# lexical-diversity 0.1.1 (Python): a text that repeats no word has the lowest diversity.
#
# Guess: MTLD and HD-D of a short text without a repeated word are at their upper end, or an error.
# Seen:  both are 0, and four times one word gets a higher MTLD. lexicalrichness 0.5.1 gives the two
#        texts 4 and 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lexical-diversity==0.1.1 lexicalrichness==0.5.1 'setuptools<80'
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from lexical_diversity import lex_div
from lexicalrichness import LexicalRichness

different, equal = "snow falls over mountains", "snow snow snow snow"
seen = [lex_div.mtld(different.split()), lex_div.mtld(equal.split()), lex_div.hdd(different.split())]
other = [LexicalRichness(different).mtld(), LexicalRichness(equal).mtld()]
print("lexical-diversity: MTLD of four words, of one word four times; HD-D of four words:", seen)
print("lexicalrichness: MTLD of both:", other)
assert seen[0] == 0 and seen[1] > 1 and seen[2] == 0, "the behaviour has changed"
assert other == [4.0, 2.0], "the behaviour has changed"
PYTHON
