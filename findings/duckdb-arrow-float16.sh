#!/usr/bin/env bash
# duckdb 2.0.1 with pyarrow 26.0.1: a column of float16 bars the way to all columns of its table.
#
# Guess: a query of the ids of an Arrow table with probabilities of float16 is answered, as only the ids
#        are read; if float16 can't be read, from Parquet neither.
# Seen:  the query is refused whichever column it names. The same table written to Parquet is read whole,
#        float16 as FLOAT, in lists of a fixed size too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    duckdb==2.0.1 pyarrow==26.0.1 numpy==2.3.5
"$folder/venv/bin/python" - "$folder/x.parquet" <<'PYTHON'
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

half = np.array([0.5, 0.25, 0.125], np.float16)
tokens = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.uint32()),
        "p": pa.array(half),
        "row": pa.FixedSizeListArray.from_arrays(pa.array(np.repeat(half, 2)), 2),
    }
)
ids = tokens.select(["id"])
print("without float16:", duckdb.sql("select id from ids").fetchall())
for column in tokens.column_names:
    try:
        duckdb.sql(f'select "{column}" from tokens').fetchall()
        raise SystemExit("the behaviour has changed")
    except duckdb.NotImplementedException as error:
        print(column, "from the Arrow table:", error)
pq.write_table(tokens, sys.argv[1])
file = duckdb.sql(f"select * from '{sys.argv[1]}'")
print("from Parquet:", file.types, file.fetchall())
assert [str(kind) for kind in file.types] == ["UINTEGER", "FLOAT", "FLOAT[]"], "the behaviour has changed"
assert duckdb.sql(f"select p from '{sys.argv[1]}'").fetchall() == [(0.5,), (0.25,), (0.125,)]
PYTHON
