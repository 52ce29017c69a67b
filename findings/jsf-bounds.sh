#!/usr/bin/env bash
# jsf 0.11.2: a number of at least 100,000 can't be made.
#
# Guess: what is made for a schema fits the schema.
# Seen:  a bound on one side alone may be refused as an "empty range": a minimum above 9,999, a maximum below 0; so
#        are numbers strictly between 0 and 1. In silence, a pattern's string takes no notice of its lengths, required
#        names that properties doesn't list don't come, and of the objects of `allOf` one alone comes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jsf==0.11.2 jsonschema==4.26.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import jsonschema
from jsf import JSF


def thing(name):
    return {"type": "object", "properties": {name: {"type": "integer"}}, "required": [name]}


def look(schema):
    wrong = []
    for _ in range(100):
        try:
            value = JSF(schema).generate()
        except ValueError as error:
            assert "empty range" in str(error)
            return "refused"
        if not jsonschema.Draft202012Validator(schema).is_valid(value):
            wrong.append(value)
    print("    wrong of 100:", len(wrong), wrong[:1])
    return "wrong" if len(wrong) > 80 else "right" if not wrong else "mixed"


cases = [
    ({"type": "number", "minimum": 100000}, "refused"),
    ({"type": "number", "minimum": 100000, "maximum": 200000}, "right"),
    ({"type": "integer", "maximum": -3}, "refused"),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "refused"),
    ({"type": "number", "minimum": 0, "maximum": 1}, "right"),
    ({"type": "string", "pattern": "^[a-z]+$", "minLength": 5, "maxLength": 6}, "wrong"),
    ({**thing("a"), "required": ["a", "b"]}, "wrong"),
    ({"allOf": [thing("a"), thing("b")]}, "wrong"),
]
for schema, expected in cases:
    seen = look(schema)
    print(schema, seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
