#!/usr/bin/env bash
# xgrammar 0.2.8: the constant 0.1 can't be written as 0.1.
#
# Guess: a `const` or an `enum` allows the value as the schema writes it, with spaces like any other text.
# Seen:  numbers are written with 17 digits: 0.10000000000000001 is allowed alone, 1e-7 is 9.9999999999999995e-08, and
#        12345678901234567890 is 1.2345678901234567e+19. Constant objects and lists may hold no space, though objects
#        with properties may, and with any_whitespace=False have to.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    apache-tvm-ffi==0.1.15.post2 pydantic==2.14.4 numpy==2.3.5
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps xgrammar==0.2.8
PYTHONPATH="$here" "$folder/venv/bin/python" -B - <<'PYTHON'
import json

import tiny_torch  # noqa: F401
import xgrammar

names = [chr(code) for code in range(1, 127)] + ["<end>"]
tokenizer = xgrammar.TokenizerInfo(names, stop_token_ids=[126])
compiler = xgrammar.GrammarCompiler(tokenizer, max_threads=1)


def allowed(schema, *texts, **options):
    grammar = compiler.compile_json_schema(json.dumps(schema), **options)
    seen = []
    for text in texts:
        matcher = xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)
        seen.append(matcher.accept_string(text) and matcher.is_terminated())
    print(json.dumps(schema), dict(zip(texts, seen)))
    return seen


assert allowed({"const": 0.1}, "0.1", "0.10000000000000001") == [False, True], "the behaviour has changed"
listed = allowed({"enum": [0.7, 1]}, "0.7", "0.69999999999999996", "1")
assert listed == [False, True, True], "the behaviour has changed"
assert allowed({"const": 1e-7}, "1e-7", "1e-07", "9.9999999999999995e-08") == [False, False, True]
large = 12345678901234567890
assert allowed({"const": large}, str(large), "1.2345678901234567e+19") == [False, True], "the behaviour has changed"
assert allowed({"type": "number"}, "0.1", "1e-7", str(large)) == [True, True, True]

spaced, close = '{"a": [1, 2]}', '{"a":[1,2]}'
constant = {"const": {"a": [1, 2]}}
items = {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False}
schema = {"type": "object", "properties": {"a": items}, "required": ["a"]}
assert allowed(constant, spaced, close) == [False, True], "the behaviour has changed"
assert allowed(schema, spaced, close) == [True, True]
assert allowed(constant, spaced, close, any_whitespace=False) == [False, True], "the behaviour has changed"
assert allowed(schema, spaced, close, any_whitespace=False) == [True, False]
PYTHON
