#!/usr/bin/env bash
# xgrammar 0.2.8: an object with `anyOf` may be the number 5.
#
# Guess: keywords that stand side by side all hold, or the schema is refused, or there's a warning.
# Seen:  in silence `anyOf`, `enum` and `const` replace what stands beside them: the type, the properties, the bounds.
#        `not`, `uniqueItems`, `contains`, `dependentRequired`, `if` and keywords beside `$ref` do nothing. Warnings
#        are given for `allOf`, overlapping `oneOf` and `multipleOf` of numbers.
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


integer = {"type": "integer"}
either = [{"required": ["a"]}, {"required": ["b"]}]
listed = {"type": "object", "properties": {"a": integer, "b": integer}}
cases = [
    ({**listed, "anyOf": either}, ['{"a": 1}', "5", '{"a": "x"}', "{}"]),
    ({"type": "integer", "enum": ["a", 1]}, ["1", '"a"']),
    ({"type": "string", "const": 5}, ["5"]),
    ({"enum": [1, 5, 9], "minimum": 4}, ["5", "1"]),
    ({"type": "integer", "not": {"const": 2}}, ["3", "2"]),
    ({"type": "array", "items": integer, "uniqueItems": True}, ["[1, 2]", "[1, 1]"]),
    ({"type": "array", "items": integer, "contains": {"const": 7}}, ["[7]", "[1]"]),
    ({**listed, "dependentRequired": {"a": ["b"]}}, ['{"a": 1, "b": 2}', '{"a": 1}']),
    ({**listed, "if": {"required": ["a"]}, "then": {"required": ["b"]}}, ['{"a": 1}']),
    ({"$defs": {"n": integer}, "$ref": "#/$defs/n", "minimum": 5}, ["6", "3"]),
]
for schema, texts in cases:
    assert all(allowed(schema, *texts)), "the behaviour has changed"
assert allowed({"type": "integer", "minimum": 4}, "5", "3") == [True, False]
PYTHON
