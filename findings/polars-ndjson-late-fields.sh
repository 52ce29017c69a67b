#!/usr/bin/env bash
# polars 2.1.0: a field that comes first in line 101 of a JSONL file is dropped.
#
# Guess: every field that a line has is a column, or a late one is an error, as a late decimal is.
# Seen:  a field is read if one of the first 100 lines has it, else it's left out without a word,
#        within objects too. With `infer_schema_length=None` it's there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cat >"$folder/look.py" <<'PYTHON'
import io
import json

import polars as pl


def read(rows, **options):
    return pl.read_ndjson(io.StringIO("".join(json.dumps(row) + "\n" for row in rows)), **options)


for before, seen in ((99, ["a", "error"]), (100, ["a"])):
    rows = [{"a": 1}] * before + [{"a": 1, "error": "out of memory"}]
    columns, whole = read(rows).columns, read(rows, infer_schema_length=None).columns
    print("first in line", before + 1, "columns:", columns, "with all lines looked at:", whole)
    assert columns == seen, "the behaviour has changed"
    assert whole == ["a", "error"]
rows = [{"settings": {"top_k": 1}}] * 100 + [{"settings": {"top_k": 1, "min_p": 0.1}}]
settings = read(rows).rows()[-1][0]
print("within an object:", settings)
assert settings == {"top_k": 1}, "the behaviour has changed"
try:
    read([{"a": 1}] * 100 + [{"a": 1.5}])
    raise SystemExit("the behaviour has changed")
except pl.exceptions.ComputeError as error:
    print("a decimal in line 101:", str(error).splitlines()[0])
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
