#!/usr/bin/env bash
# datasets 5.2.0: as NumPy, a column of ids with one missing is float32, and large ones are negative.
#
# Guess: with_format("numpy") gives whole numbers as they are, as float64 at worst where one is missing.
# Seen:  float32, so 16,777,217 becomes 16,777,216; uint64 becomes int64, and 2^63 + 1 is
#        -9,223,372,036,854,775,807. Neither warns; without a format all are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import pyarrow as pa
from datasets import Dataset

cases = [
    ([1, 2**24 + 1], pa.int64(), "int64", [1, 2**24 + 1]),
    ([None, 2**24 + 1], pa.int64(), "float32", [None, 2**24]),
    ([1, 2**63 + 1], pa.uint64(), "int64", [1, 1 - 2**63]),
]
for numbers, kind, expected, values in cases:
    rows = Dataset(pa.table({"id": pa.array(numbers, kind)}))
    assert rows[:]["id"] == numbers, "the behaviour has changed"
    seen = rows.with_format("numpy")[:]["id"]
    print(numbers, "of", kind, "become", seen.tolist(), "of", seen.dtype)
    assert seen.dtype == expected and int(seen[1]) == values[1], "the behaviour has changed"
PYTHON
