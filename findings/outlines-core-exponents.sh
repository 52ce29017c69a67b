#!/usr/bin/env bash
# outlines-core 0.2.14: an exponent has to have a sign.
#
# Guess: a number may be any that JSON writes, 1e5 and 1E5 among them.
# Seen:  1e+5 and 1e-5 are allowed, 1e5 is not, so a model that writes 1e can only go on with a sign.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check outlines-core==0.2.14
"$folder/venv/bin/python" - <<'PYTHON'
import json
import re

from outlines_core.json_schema import build_regex_from_schema

number = build_regex_from_schema(json.dumps({"type": "number"}))
seen = {text: re.fullmatch(number, text) is not None for text in ("1", "1.5", "1e5", "1E5", "1e+5", "1e-5")}
print(seen)
assert seen == {"1": True, "1.5": True, "1e5": False, "1E5": False, "1e+5": True, "1e-5": True}, "the behaviour has changed"
PYTHON
