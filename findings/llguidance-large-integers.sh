#!/usr/bin/env bash
# llguidance 1.9.1: an integer const beyond 2^53 becomes its f64 neighbour.
#
# Guess: such a const is held exactly, or the schema is refused.
# Seen:  the exact number is refused, and the rounded one is allowed, which the schema does not allow.
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
    matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(schema))
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


exact, neighbour = 2**53 + 1, 2**53
schema = json.dumps({"const": exact})
seen = {n: allows(schema, str(n)) for n in (exact, neighbour)}
print(schema, seen)
assert seen == {exact: False, neighbour: True}, "the behaviour has changed"
PYTHON
