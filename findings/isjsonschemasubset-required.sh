#!/usr/bin/env bash
# isjsonschemasubset 0.0.2: a field that may be missing passes for one that is required.
#
# Guess: documents whose x may be missing are no subset of those with x, any integer is no subset of 1 and 2, and
#        integers are a subset of numbers.
# Seen:  no error for the first two, an error for the third.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check isjsonschemasubset==0.0.2 pydantic==2.14.4
"$folder/venv/bin/python" - <<'PYTHON'
from isjsonschemasubset import JSONSchema, issubset, resolve


def errors(first, second):
    made = [
        resolve(JSONSchema(type="object", title="T", properties={"x": schema}, required=["x"] if required else []))
        for schema, required in (first, second)
    ]
    seen = [str(error) for error in issubset(*made)]
    print(first, "within", second, "errors:", seen)
    return seen


integer, number, few = {"type": "integer"}, {"type": "number"}, {"type": "integer", "enum": [1, 2]}
assert errors((integer, True), (integer, True)) == []
assert errors((integer, False), (integer, True)) == [], "the behaviour has changed"
assert errors((integer, True), (few, True)) == [], "the behaviour has changed"
assert len(errors((integer, True), (number, True))) == 1, "the behaviour has changed"
PYTHON
