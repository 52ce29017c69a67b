#!/usr/bin/env bash
# llguidance 1.9.1: an object whose names are given by a pattern may have one name twice.
#
# Guess: a name that was used is masked for the rest of the object.
# Seen:  only names listed in `properties` are used up; two equal names meet minProperties 2, and a parser keeps one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check llguidance==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import json
from llguidance import LLMatcher, LLTokenizer

tokenizer = LLTokenizer("byte")


def allows(schema, text):
    matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(json.dumps(schema)))
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


pattern = {
    "type": "object",
    "patternProperties": {"^k[01]$": {"type": "integer"}},
    "additionalProperties": False,
    "minProperties": 2,
}
listed = {"type": "object", "properties": {"k0": {"type": "integer"}}, "additionalProperties": {"type": "integer"}}
text = '{"k0": 1, "k0": 2}'
seen = {"by pattern": allows(pattern, text), "listed": allows(listed, text)}
print(seen, "read back:", json.loads(text))
assert seen == {"by pattern": True, "listed": False}, "the behaviour has changed"
PYTHON
