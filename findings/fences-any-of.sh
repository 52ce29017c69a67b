#!/usr/bin/env bash
# fences 1.4.0: null is said not to fit a schema of text or null.
#
# Guess: of the samples made for a schema those marked valid fit it, the others don't.
# Seen:  for `anyOf` of text and null both null and a text come as invalid ones too; for a pattern of two letters the
#        empty text is a valid one, for minProperties of 1 the empty object, for `oneOf` of integer and number 0,
#        which fits both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fences==1.4.0 jsonschema==4.26.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

from fences import parse_json_schema
from jsonschema import Draft202012Validator

cases = [
    ({"type": "string", "minLength": 2}, []),
    ({"type": "integer", "minimum": 1, "maximum": 5}, []),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, [(None, False), ("string", False)]),
    ({"type": "string", "pattern": "^[ab]{2}$"}, [("", True)]),
    ({"type": "object", "minProperties": 1}, [({}, True)]),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, [(0, True)]),
]
for schema, expected in cases:
    graph, wrong = parse_json_schema(schema), []
    for path in graph.generate_paths():
        sample = graph.execute(path.path)
        if Draft202012Validator(schema).is_valid(sample) != path.is_valid:
            wrong.append((sample, path.is_valid))
    print(json.dumps(schema), "wrong labels:", wrong)
    assert wrong == expected, "the behaviour has changed"
PYTHON
