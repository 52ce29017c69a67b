#!/usr/bin/env bash
# ragkit-llmparse 0.1.1: "Here's the JSON:" hides the JSON.
#
# Guess: JSON is found in prose around it, the first document first.
# Seen:  an apostrophe in the prose begins a string that goes on to the next one, so behind "Here's" nothing is found,
#        and where another apostrophe follows the document between them is skipped in silence: of two answers the
#        second is returned as the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ragkit-llmparse==0.1.1
"$folder/venv/bin/python" - <<'PYTHON'
from llmparse import ParseError, extract_all_json, loads

cases = [
    ('Here is the JSON: {"a": 1}', {"a": 1}, [{"a": 1}]),
    ('Here\'s the JSON: {"a": 1}', None, []),
    ('Here is {"a": 1}. It is like {"a": 2}', {"a": 1}, [{"a": 1}, {"a": 2}]),
    ('Here\'s {"a": 1}. It\'s like {"a": 2}', {"a": 2}, [{"a": 2}]),
]
for text, expected, every in cases:
    try:
        seen = loads(text)
    except ParseError as error:
        seen = None
        print(error)
    found = extract_all_json(text)
    print(text, "the first:", seen, "all:", found)
    assert (seen, found) == (expected, every), "the behaviour has changed"
PYTHON
