#!/usr/bin/env bash
# json-repair 0.64.6 (Python): a string means something else once its document is cut off.
#
# Guess: strings that are complete are read as JSON has them, whether the closing brace is there or not.
# Seen:  without it \/ keeps its backslash, \f becomes a backslash and an f, and a string that ends in \n
#        loses its line break; with it all are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json-repair==0.64.6
"$folder/venv/bin/python" - <<'PYTHON'
import json_repair

for string, right, expected in [
    (r'"a\/b"', "a/b", r"a\/b"),
    (r'"a\fb"', "a\fb", r"a\fb"),
    (r'"a\n"', "a\n", "a"),
    (r'"a\nb"', "a\nb", "a\nb"),
    (r'"a\tb"', "a\tb", "a\tb"),
]:
    whole = f'{{"text": {string}, "more": [1, 2]}}'
    seen = [json_repair.loads(text)["text"] for text in (whole, whole[:-1])]
    print(whole, "whole:", repr(seen[0]), "without the brace:", repr(seen[1]))
    assert seen == [right, expected], "the behaviour has changed"
PYTHON
