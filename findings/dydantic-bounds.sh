#!/usr/bin/env bash
# dydantic 0.0.8: a model made from an enum takes any text.
#
# Guess: a model made from a JSON schema refuses what the schema refuses, or the schema is refused.
# Seen:  types and names alone are minded: "mid" is taken where "low" and "high" are listed, 0 where the minimum is 1,
#        "abc" where the pattern is ^b or the longest length 2, and a name that isn't allowed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dydantic==0.0.8 pydantic==2.14.4 jsonschema==4.26.0
"$folder/venv/bin/python" - <<'PYTHON'
from dydantic import create_model_from_schema
from jsonschema import Draft202012Validator
from pydantic import ValidationError

cases = [
    ({"type": "string", "enum": ["low", "high"]}, "mid", True),
    ({"const": 1}, 2, True),
    ({"type": "integer", "minimum": 1}, 0, True),
    ({"type": "string", "pattern": "^b"}, "abc", True),
    ({"type": "string", "maxLength": 2}, "abc", True),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [], True),
    ({"type": "object", "properties": {}, "additionalProperties": False}, {"b": 1}, True),
    ({"not": {"type": "string"}}, "abc", True),
    ({"type": "integer"}, "abc", False),
]
for schema, value, changed in cases:
    file = {"title": "M", "type": "object", "properties": {"v": schema}, "required": ["v"]}
    model = create_model_from_schema(file)
    assert not Draft202012Validator(schema).is_valid(value)
    try:
        model.model_validate({"v": value})
        seen = True
    except ValidationError:
        seen = False
    print(schema, "|", value, "doesn't fit, taken:", seen)
    assert seen == changed, "the behaviour has changed"
PYTHON
