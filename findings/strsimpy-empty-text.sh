#!/usr/bin/env bash
# strsimpy 0.2.1: an empty answer is at a distance of 0 from any text.
#
# Guess: by optimal string alignment an empty text is as far from another as that one is long, as by Levenshtein.
# Seen:  0 in both orders, so an empty answer is as good as the right one, and better than each other one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check strsimpy==0.2.1
"$folder/venv/bin/python" - <<'PYTHON'
from strsimpy.levenshtein import Levenshtein
from strsimpy.optimal_string_alignment import OptimalStringAlignment

reference = "the cat sat"
for answer, expected in (("", 0), ("the cat sat", 0), ("the cat", 4), ("teh cat sat", 1)):
    seen = OptimalStringAlignment().distance(reference, answer)
    back = OptimalStringAlignment().distance(answer, reference)
    plain = Levenshtein().distance(reference, answer)
    print(repr(answer), "optimal string alignment:", seen, back, "Levenshtein:", plain)
    assert seen == back == expected, "the behaviour has changed"
assert Levenshtein().distance(reference, "") == len(reference)
PYTHON
