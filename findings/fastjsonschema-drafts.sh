#!/usr/bin/env bash
# fastjsonschema 2.22.3: a schema that names the draft 2020-12 is read as one of draft 7.
#
# Guess: a draft that isn't known is refused.
# Seen:  its keywords do nothing, so lists and objects that they forbid are valid, and `items`
#        behind `prefixItems` is asked of the first element too, so ["a", 1] of a string and
#        integers is refused. jsonschema does as the draft says.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastjsonschema==2.22.3 jsonschema==4.26.0
cat >"$folder/look.py" <<'PYTHON'
import fastjsonschema
import jsonschema


def valid(schema, value):
    try:
        fastjsonschema.compile(schema)(value)
        return True
    except fastjsonschema.JsonSchemaValueException:
        return False


for keywords, value, expected in (
    ({"prefixItems": [{"type": "string"}]}, [1], False),
    ({"dependentRequired": {"card": ["address"]}}, {"card": 1}, False),
    ({"contains": {"type": "integer"}, "minContains": 2}, [1, "a"], False),
    ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, False),
    ({"$ref": "#/$defs/whole", "$defs": {"whole": {"type": "integer"}}, "minimum": 3}, 1, False),
    ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ["a", 1], True),
):
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **keywords}
    assert jsonschema.Draft202012Validator(schema).is_valid(value) == expected, "jsonschema has changed"
    seen = valid(schema, value)
    print(keywords, "and", value, "valid:", seen, "by jsonschema:", expected)
    assert seen != expected, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
