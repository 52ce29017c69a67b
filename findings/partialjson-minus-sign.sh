#!/usr/bin/env bash
# partialjson 1.2.0 (Python): a negative number that has only begun is a string.
#
# Guess: behind the minus sign of -5 the value is left out, null or 0, as any other beginning of a number
#        is a number or nothing.
# Seen:  it is the string "-", so a list of numbers holds one; 1e, 1e- and -0. are numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check partialjson==1.2.0
"$folder/venv/bin/python" - <<'PYTHON'
from partialjson import JSONParser

whole = '{"scores": [1e-3, -5, -0.5]}'
seen = {}
for end in range(12, len(whole) + 1):
    seen[whole[:end]] = JSONParser().parse(whole[:end])["scores"]
    print(whole[:end], "scores:", seen[whole[:end]])
assert seen['{"scores": [1e-'] == [1], "the behaviour has changed"
assert seen['{"scores": [1e-3, -'] == [0.001, "-"], "the behaviour has changed"
assert seen['{"scores": [1e-3, -5, -'] == [0.001, -5, "-"], "the behaviour has changed"
assert seen['{"scores": [1e-3, -5, -0.'] == [0.001, -5, 0], "the behaviour has changed"
assert seen[whole] == [0.001, -5, -0.5], "the behaviour has changed"
PYTHON
