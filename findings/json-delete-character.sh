#!/usr/bin/env bash
# llguidance 1.9.1 and outlines-core 0.2.14: U+007F may not stand in a JSON string.
#
# Guess: RFC 8259 escapes U+0000 to U+001F, quotation marks and backslashes; all else may stand as it is.
# Seen:  both refuse U+007F as it is; outlines-core refuses U+0080 to U+009F and every \u escape as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check llguidance==1.9.1 outlines-core==0.2.14
"$folder/venv/bin/python" - <<'PYTHON'
import json
import re

from llguidance import LLMatcher, LLTokenizer
from outlines_core.json_schema import build_regex_from_schema

tokenizer = LLTokenizer("byte")
schema = json.dumps({"type": "string"})


def llguidance(text):
    matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(schema))
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def outlines_core(text):
    return re.fullmatch(build_regex_from_schema(schema), text) is not None


texts = ['"\x7f"', '"\x85"', '"\xe9"', '"\\u007f"']
assert all(isinstance(json.loads(text), str) for text in texts)
seen = [(ascii(text), llguidance(text), outlines_core(text)) for text in texts]
print("text, llguidance, outlines-core:", seen)
assert [found[1:] for found in seen] == [
    (False, False),
    (True, False),
    (True, True),
    (True, False),
], "the behaviour has changed"
PYTHON
