#!/usr/bin/env bash
# json-schema-to-pydantic 0.5.0: allOf of integers allows no integer.
#
# Guess: a model made from `allOf` of "at least 2" and "at most 4" takes 3 and refuses 1, or the schema is refused.
# Seen:  it takes {} alone, as for each `allOf` an object's model is made, which has no fields here. So it is with a
#        type beside it and for strings; `allOf` of objects is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    json-schema-to-pydantic==0.5.0 pydantic==2.14.4 jsonschema==4.26.0
"$folder/venv/bin/python" - <<'PYTHON'
from json_schema_to_pydantic import create_model
from jsonschema import Draft202012Validator
from pydantic import ValidationError

ranges = [{"type": "integer", "minimum": 2}, {"type": "integer", "maximum": 4}]
objects = [
    {"type": "object", "properties": {name: {"type": "integer"}}, "required": [name]} for name in ("a", "b")
]
cases = [
    ({"allOf": ranges}, 3, True, False),
    ({"allOf": ranges}, {}, False, True),
    ({"type": "integer", "allOf": [{"minimum": 2}, {"maximum": 4}]}, 3, True, False),
    ({"allOf": [{"type": "string", "minLength": 2}]}, "ab", True, False),
    ({"allOf": objects}, {"a": 1, "b": 2}, True, True),
    ({"allOf": objects}, {"a": 1}, False, False),
]
for schema, value, right, changed in cases:
    model = create_model({"title": "M", "type": "object", "properties": {"v": schema}, "required": ["v"]})
    assert Draft202012Validator(schema).is_valid(value) == right
    try:
        model.model_validate({"v": value})
        seen = True
    except ValidationError:
        seen = False
    print(schema, "|", value, "fits:", right, "taken:", seen)
    assert seen == changed, "the behaviour has changed"
PYTHON
