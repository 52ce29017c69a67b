#!/usr/bin/env bash
# fastparquet 2026.9.0 with pyarrow 26.0.1: a column of float16 is read as bytes.
#
# Guess: probabilities written as float16 come back as numbers, or are refused.
# Seen:  each comes back as a bytes object without its last zero bytes: 0.5 as b"\\x008", 1e-7 as one byte. The
#        same numbers as float32 are read as numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    fastparquet==2026.9.0 pyarrow==26.0.1 numpy==2.3.5 pandas==3.0.4
"$folder/venv/bin/python" - <<'PYTHON'
import tempfile

import fastparquet
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = [0.5, 1e-7, 65504]
with tempfile.TemporaryDirectory() as folder:
    seen = {}
    for kind in (np.float16, np.float32):
        pq.write_table(pa.table({"p": pa.array(np.array(NUMBERS, kind))}), f"{folder}/x.parquet")
        seen[kind] = list(fastparquet.ParquetFile(f"{folder}/x.parquet").to_pandas()["p"])
        print(kind.__name__, "is read as", seen[kind])
assert seen[np.float16] == [b"\x008", b"\x02", b"\xff{"], "the behaviour has changed"
assert seen[np.float32] == [np.float32(number) for number in NUMBERS], "the behaviour has changed"
PYTHON
