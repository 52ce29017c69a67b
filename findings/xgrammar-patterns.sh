#!/usr/bin/env bash
# xgrammar 0.2.8: patterns match whole strings, and what they name isn't escaped.
#
# Guess: a pattern may match anywhere, as JSON Schema says, and a string stays JSON.
# Seen:  `b+` refuses "abc", `^a` refuses "ab"; names by patternProperties are whole as well. A quotation mark, a
#        backslash or a line break that the pattern names comes bare, which no parser reads, and its escape is
#        refused; a dot and [^a] match neither.
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


def pattern(text):
    return {"type": "string", "pattern": text}


cases = [
    (pattern("b+"), {'"b"': True, '"abc"': False}),
    (pattern("^a"), {'"a"': True, '"ab"': False}),
    (pattern("^a|b$"), {'"a"': True, '"ax"': False, '"xb"': False}),
    (pattern('^a"b$'), {'"a\\"b"': False, '"a"b"': True}),
    (pattern(r"^a\\b$"), {'"a\\\\b"': False, '"a\\b"': True}),
    (pattern(r"^a\nb$"), {'"a\\nb"': False, '"a\nb"': True}),
    (pattern("^.$"), {'"a"': True, '"\\""': False, '"\\n"': False, '"""': False}),
    (pattern("^[^a]$"), {'"b"': True, '"\\""': False, '"\\n"': False, '"""': False}),
]
names = {"type": "object", "patternProperties": {"^x_": {"type": "integer"}}, "additionalProperties": False}
cases.append((names, {'{"x_": 1}': True, '{"x_a": 1}': False}))
for schema, expected in cases:
    assert allowed(schema, *expected) == list(expected.values()), "the behaviour has changed"
PYTHON
