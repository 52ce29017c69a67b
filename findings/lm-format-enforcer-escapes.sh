#!/usr/bin/env bash
# lm-format-enforcer 0.11.3 (Python): enum values and names are written without JSON's escapes.
#
# Guess: an enum value with a line break or a quotation mark comes out as JSON writes it.
# Seen:  the line break has to come as it is, so a complete text isn't JSON; the escaped one is refused.
#        A value with a quotation mark ends there: "a" is complete where "a\"b" was asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lm-format-enforcer==0.11.3
"$folder/venv/bin/python" - <<'PYTHON'
import json

from lmformatenforcer import JsonSchemaParser


def takes(schema, text):
    parser = JsonSchemaParser(schema)
    for character in text:
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()


lines, quote = {"enum": ["a\nb"]}, {"enum": ['a"b']}
seen = [takes(lines, '"a\nb"'), takes(lines, json.dumps("a\nb")), takes(quote, '"a"'), takes(quote, json.dumps('a"b'))]
print("bare line break, escaped one, value cut at its quotation mark, escaped one:", seen)
assert seen == [True, False, True, False], "the behaviour has changed"
PYTHON
