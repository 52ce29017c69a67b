#!/usr/bin/env bash
# llguidance 1.9.1: a bound on a number takes away its exponent spellings.
#
# Guess: bounds say which values are allowed, whatever their spelling.
# Seen:  1e1 is allowed for a number without bounds and refused for one from 0 to 100; 10 is allowed by both.
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


free, bounded = {"type": "number"}, {"type": "number", "minimum": 0, "maximum": 100}
seen = [(text, allows(free, text), allows(bounded, text)) for text in ("10", "10.0", "1e1")]
print("text, without bounds, with bounds:", seen)
assert seen == [("10", True, True), ("10.0", True, True), ("1e1", True, False)], "the behaviour has changed"
PYTHON
