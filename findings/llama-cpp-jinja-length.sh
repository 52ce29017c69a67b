#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): chat templates count and cut bytes, not characters.
#
# Guess: `length`, indices and slices of a string go by characters, as in the Jinja2 that templates
#        are written for.
# Seen:  they go by bytes of UTF-8: Grüße has a length of 7, and a slice cuts letters in two.
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
    ("{{ 'Grüße' | length }}", "5", "7"),
    ("{{ 'Grüße'[:3] }}", "Grü", "Gr\ufffd"),
    ("{{ 'Grüße'[3:] }}", "ße", "\ufffdße"),
    ("{{ 'Übung' | capitalize == 'übung' | capitalize }}", "True", "False"),
]
compare(sys.argv[1], cases)
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
