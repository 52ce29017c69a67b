#!/usr/bin/env bash
# gbnf-compiler 0.3.2: items of a list lose their minus sign.
#
# Guess: of the list "- -5 degrees", "- x - y" the items are "-5 degrees" and "x - y", a string is what stands between
#        its quotation marks.
# Seen:  all dashes and spaces in front are taken away, so -5 is 5 and --flag is flag; the last item ends with a line
#        break; a string comes with its quotation marks and escapes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gbnf-compiler==0.3.2
"$folder/venv/bin/python" - <<'PYTHON'
from gbnf_compiler import GBNFCompiler, ItemList, StringRule

items = GBNFCompiler("Items:\n{{items}}end", {"items": ItemList()})
answer = "Items:\n- -5 degrees\n- x - y\n- --flag\nend"
seen = items.parse(answer)["items"]
print(repr(answer), "seen:", seen)
assert seen == ["5 degrees", "x - y", "flag\n"], "the behaviour has changed"
text = GBNFCompiler("Name {{name}}!", {"name": StringRule()})
print(text.grammar())
seen = text.parse('Name "a\\nb"!')["name"]
print("a string:", seen)
assert seen == '"a\\nb"', "the behaviour has changed"
PYTHON
