#!/usr/bin/env bash
# json24 0.1.0: numbers lose their decimals, true is None.
#
# Guess: a parser of partial JSON gives the values of a complete document as Python's json does.
# Seen:  3.5 is 3, 1e3 is 1, -2 is text; true, false and "" are None; names of an object within come to the top,
#        a list is None; a text ends at its first quotation mark.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json24==0.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

import json24

cases = [
    ('{"a": 3.5, "b": 1e3, "c": -2}', {"a": 3, "b": 1, "c": "-2"}),
    ('{"a": true, "b": false, "c": ""}', {"a": None, "b": None, "c": None}),
    ('{"a": {"b": 1}, "c": [1, 2]}', {"a": None, "b": 1, "c": None}),
    ('{"a": "say \\"hi\\" now", "b": 1}', {"a": "say \\", "b": 1}),
]
for document, changed in cases:
    seen = json24.parse_partial_json(document)
    print(document, "| json:", json.loads(document), "json24:", seen)
    assert seen == changed, "the behaviour has changed"
PYTHON
