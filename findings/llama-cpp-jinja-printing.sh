#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): chat templates print lists, none and numbers otherwise.
#
# Guess: a template prints what it prints in transformers, or is refused.
# Seen:  a list prints as its parts in a row, an object and none as nothing; none|default gives the
#        default; 1.0|tojson is 1; '12abc'|int is 12. Booleans are right.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6 jinja2==3.1.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_jinja import compare

cases = [
    ("{{ ['a', 'b', 1] }}", "['a', 'b', 1]", "ab1"),
    ("[{{ {'a': 1} }}]", "[{'a': 1}]", "[]"),
    ("[{{ none }}]", "[None]", "[]"),
    ("{{ none | default('x') }}", "None", "x"),
    ("{{ {'limit': 1.0} | tojson }}", '{"limit": 1.0}', '{"limit": 1}'),
    ("{{ '12abc' | int }}", "0", "12"),
    ("{{ true }}", "True", "True"),
]
compare(sys.argv[1], cases)
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
