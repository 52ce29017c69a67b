#!/usr/bin/env bash
# outlines-core 0.2.14: allOf writes its parts one after the other.
#
# Guess: a text has to fit every part of allOf, or the schema is refused, as regular expressions have no "and".
# Seen:  two objects come one behind the other, which is not JSON; an integer and an integer come out as 1-2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check outlines-core==0.2.14
"$folder/venv/bin/python" - <<'PYTHON'
import json
import re

from outlines_core.json_schema import build_regex_from_schema

part = lambda name: {"type": "object", "properties": {name: {"const": 1}}, "required": [name]}
objects, numbers = {"allOf": [part("a"), part("b")]}, {"allOf": [{"type": "integer"}, {"type": "integer"}]}


def allows(schema, text):
    return re.fullmatch(build_regex_from_schema(json.dumps(schema)), text) is not None


def is_json(text):
    try:
        json.loads(text)
        return True
    except json.JSONDecodeError:
        return False


cases = [(objects, '{"a":1,"b":1}'), (objects, '{"a":1}{"b":1}'), (numbers, "12"), (numbers, "1-2"), (numbers, "1")]
seen = [(text, allows(schema, text), is_json(text)) for schema, text in cases]
print("text, allowed, JSON:", seen)
assert seen == [
    ('{"a":1,"b":1}', False, True),
    ('{"a":1}{"b":1}', True, False),
    ("12", True, True),
    ("1-2", True, False),
    ("1", False, True),
], "the behaviour has changed"
PYTHON
