#!/usr/bin/env bash
# outlines-core 0.2.14: names and patterns go into the text unescaped, so the text is not JSON.
#
# Guess: names are escaped as JSON, and what a pattern matches is kept inside its string, as constants are.
# Seen:  a name with a quotation mark or a backslash comes out bare, and a dot in a pattern matches both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check outlines-core==0.2.14
"$folder/venv/bin/python" - <<'PYTHON'
import json
import re

from outlines_core.json_schema import build_regex_from_schema


def allows(schema, text):
    return re.fullmatch(build_regex_from_schema(json.dumps(schema)), text) is not None


def is_json(text):
    try:
        json.loads(text)
        return True
    except json.JSONDecodeError:
        return False


named = lambda name: {"type": "object", "properties": {name: {"const": 1}}, "required": [name]}
constant, any_one = {"const": 'a"b'}, {"type": "string", "pattern": "^.$"}
cases = [
    (constant, r'"a\"b"'),
    (named('a"b'), r'{"a\"b":1}'),
    (named('a"b'), '{"a"b":1}'),
    (named("a\\d"), r'{"a\\d":1}'),
    (named("a\\d"), r'{"a\d":1}'),
    (any_one, '"""'),
    (any_one, '"x"'),
]
seen = [(text, allows(schema, text), is_json(text)) for schema, text in cases]
print("text, allowed, JSON:", seen)
assert [found[1:] for found in seen] == [
    (True, True),
    (False, True),
    (True, False),
    (False, True),
    (True, False),
    (True, False),
    (True, True),
], "the behaviour has changed"
PYTHON
