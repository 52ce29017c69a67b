#!/usr/bin/env bash
# duckdb 2.0.1: after 20,480 lines of JSON a score of 1.5 is 2, and a text may be missing.
#
# Guess: a value that doesn't fit the type found in the first lines widens its column, or is an
#        error.
# Seen:  1.5 behind 30,000 whole numbers is read as 2, and a text behind 30,000 nulls as null,
#        without a word. A text behind whole numbers is an error. With `sample_size = -1`, which
#        looks at all lines, all values are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
cat >"$folder/look.py" <<'PYTHON'
import json
import sys

import duckdb

path = f"{sys.argv[1]}/rows.jsonl"


def last(first, value, options=""):
    with open(path, "w") as file:
        file.writelines(json.dumps({"x": x}) + "\n" for x in [first] * 30000 + [value])
    return duckdb.sql(f"select last(x) from read_json_auto('{path}'{options})").fetchall()[0][0]


for first, value, seen in ((1, 1.5, 2), (None, "right", None), (None, 7, None)):
    wrong, right = last(first, value), last(first, value, ", sample_size = -1")
    print(f"{value!r} behind 30,000 times {first}: {wrong!r}, with all lines looked at: {right!r}")
    assert right == value
    assert wrong == seen, "the behaviour has changed"
try:
    last(1, "right")
    raise SystemExit("the behaviour has changed")
except duckdb.Error as error:
    print("a text behind whole numbers:", type(error).__name__)
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder"
