#!/usr/bin/env bash
# lm-format-enforcer 0.11.3 (Python): oneOf of scalars allows no text.
#
# Guess: oneOf of an integer and a string allows what anyOf allows, since no text is both.
# Seen:  anyOf takes 1 and "a"; oneOf refuses the first character of either. oneOf of two objects works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lm-format-enforcer==0.11.3
"$folder/venv/bin/python" - <<'PYTHON'
from lmformatenforcer import JsonSchemaParser


def takes(schema, text):
    parser = JsonSchemaParser(schema)
    for character in text:
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()


kinds = [{"type": "integer"}, {"type": "string"}]
objects = [
    {"type": "object", "properties": {name: {"type": "integer"}}, "required": [name]} for name in "ab"
]
seen = {
    "anyOf": [takes({"anyOf": kinds}, text) for text in ("1", '"a"')],
    "oneOf": [takes({"oneOf": kinds}, text) for text in ("1", '"a"')],
    "oneOf of objects": [takes({"oneOf": objects}, text) for text in ('{"a":1}', '{"b":1}')],
}
print(seen)
assert seen == {"anyOf": [True, True], "oneOf": [False, False], "oneOf of objects": [True, True]}, (
    "the behaviour has changed"
)
PYTHON
