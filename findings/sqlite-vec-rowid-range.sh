#!/usr/bin/env bash
# sqlite-vec 0.1.9: of the nearest three texts from the fourth on there are none.
#
# Guess: a condition beside a search for the nearest three holds for what is searched, as `n > 3`
#        does.
# Seen:  a range of row ids holds for the three that were found: `rowid > 3` gives nothing where
#        `rowid in (...)` and a column with the same numbers give three. So does a bare boolean:
#        `flag` gives one row, `flag = 1` three.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlite-vec==0.1.9 apsw==3.54.1.0
cat >"$folder/look.py" <<'PYTHON'
import apsw
import sqlite_vec

base = apsw.Connection(":memory:")
base.enable_load_extension(True)
base.load_extension(sqlite_vec.loadable_path())
base.execute("create virtual table texts using vec0(embedding float[2], n integer, flag boolean)")
for row in range(1, 11):
    values = (row, f"[1, {row}]", row, row % 2 == 0)
    base.execute("insert into texts(rowid, embedding, n, flag) values(?, ?, ?, ?)", values)
for condition, expected in (
    ("n > 3", [4, 5, 6]),
    ("rowid in (4, 5, 6, 7, 8, 9, 10)", [4, 5, 6]),
    ("rowid > 3", []),
    ("flag = 1", [2, 4, 6]),
    ("flag", [2]),
):
    rows = base.execute(f"select rowid from texts where embedding match '[1, 0]' and k = 3 and {condition}")
    seen = [row for row, in rows]
    print(condition, "gives", seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
