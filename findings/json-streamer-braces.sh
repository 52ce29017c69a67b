#!/usr/bin/env bash
# json-streamer 0.1.0: a document with a brace in a string is never complete.
#
# Guess: the last thing that a stream of a whole document gives is that document, marked COMPLETE.
# Seen:  braces and brackets within strings are counted: with "if (x) {" in it the last part is PARTIAL, in each cut. A
#        stream that goes on with a second document never gives it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json-streamer==0.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

from json_streamer import ParseState, loads

cases = [
    ({"text": "plain", "b": 1}, True),
    ({"text": 'he said "hi"', "b": 1}, True),
    ({"text": "if (x) {", "b": 1}, False),
    ({"text": "see [1", "b": 1}, False),
]
for value, complete in cases:
    document = json.dumps(value)
    for size in (1, 5, len(document)):
        parts = list(loads(iter([document[at : at + size] for at in range(0, len(document), size)])))
        seen = ParseState.COMPLETE in [state for state, _ in parts]
        print(document, "in pieces of", size, "complete:", seen, "last:", parts[-1] if parts else None)
        assert seen == complete, "the behaviour has changed"
second = {"next": 2}
given = [value for _, value in loads(iter([json.dumps({"text": "{"}), json.dumps(second)]))]
print("a second document:", given)
assert second not in given, "the behaviour has changed"
PYTHON
