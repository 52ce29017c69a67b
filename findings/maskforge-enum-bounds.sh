#!/usr/bin/env bash
# maskforge 0.1.1: bounds beside `enum` and `const` do nothing.
#
# Guess: keywords that stand side by side all hold, or the schema is refused.
# Seen:  beside enum or const, minimum, maxLength, pattern, minItems, required and multipleOf are dropped in silence:
#        {"enum": [1, 5], "minimum": 4} allows 1. Type, not and anyOf hold, and so do bounds in another part of an
#        allOf.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    maskforge==0.1.1 pydantic==2.14.4 jsonschema==4.26.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

import jsonschema
import maskforge

END = 256
vocabulary = maskforge.Vocabulary.from_id_ordered_tokens([bytes([code]) for code in range(END)] + [None], END)
compiler = maskforge.Compiler()


def allowed(schema, value):
    """Whether the mask allows each byte of the value's JSON, and the end behind it."""
    session = compiler.compile(schema).bind(vocabulary).start_session()
    for byte in json.dumps(value).encode():
        mask = bytearray(4 * session.mask_word_count)
        session.write_mask(mask)
        if not mask[byte // 8] >> byte % 8 & 1:
            return False
        session.advance(byte)
    return session.is_accepting


cases = [
    ({"enum": [1, 5], "minimum": 4}, 1, True),
    ({"const": 1, "minimum": 4}, 1, True),
    ({"type": "string", "enum": ["a", "bcd"], "maxLength": 2}, "bcd", True),
    ({"enum": ["ab", "c"], "pattern": "^a"}, "c", True),
    ({"enum": [[1], [1, 2]], "minItems": 2}, [1], True),
    ({"enum": [{"a": 1}, {"b": 1}], "required": ["a"]}, {"b": 1}, True),
    ({"enum": [1, 2], "multipleOf": 2}, 1, True),
    ({"enum": ["a", 1], "type": "string"}, 1, False),
    ({"enum": [1, 2], "not": {"const": 1}}, 1, False),
    ({"allOf": [{"enum": [1, 5]}, {"minimum": 4}]}, 1, False),
    ({"type": "integer", "minimum": 4}, 1, False),
]
for schema, value, expected in cases:
    assert not jsonschema.Draft202012Validator(schema).is_valid(value)
    seen = allowed(schema, value)
    print(json.dumps(schema), "allows" if seen else "refuses", json.dumps(value))
    assert seen == expected, "the behaviour has changed"
PYTHON
