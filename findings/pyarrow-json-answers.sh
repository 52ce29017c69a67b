#!/usr/bin/env bash
# pyarrow 26.0.1: answers that are all dates are no texts, and one large id rounds the others.
#
# Guess: JSON's strings are strings and its whole numbers are whole numbers, or refused.
# Seen:  if each answer of a file looks like a date, they're timestamps, and "2024-01-01 10:00:00"
#        and "2024-01-01T10:00:00Z" the same; one other answer makes all of them texts. With one id
#        of 2^63 or more in it a column of ids is float64, so 2^53 + 1 is 2^53. Polars and DuckDB
#        keep such ids.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0
cat >"$folder/look.py" <<'PYTHON'
import io
import json

import polars as pl
import pyarrow.json


def read(values):
    text = "".join(json.dumps({"x": value}) + "\n" for value in values)
    column = pyarrow.json.read_json(io.BytesIO(text.encode()))["x"]
    print(values, "are", column.type, [str(value) for value in column.to_pylist()])
    return column, pl.read_ndjson(io.StringIO(text))["x"].to_list()


dates = ["2024-01-01 10:00:00", "2024-01-01T10:00:00Z"]
column, by_polars = read(dates)
assert str(column.type) == "timestamp[s]" and len(set(column.to_pylist())) == 1, "the behaviour has changed"
assert by_polars == dates
assert read(dates + ["I don't know"])[0].to_pylist()[:2] == dates
ids = [2**53 + 1, 2**63]
column, by_polars = read(ids)
assert column.to_pylist() == [float(2**53), float(2**63)], "the behaviour has changed"
assert by_polars == ids
assert read(ids[:1])[0].to_pylist() == ids[:1]
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
