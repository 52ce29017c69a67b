#!/usr/bin/env bash
# pyarrow 26.0.1 (Python): numbers of a list lose their decimals in a column of integers.
#
# Guess: 1.9 in a column of int32 is an error, whatever it's given as: its casts are safe if not told
#        otherwise.
# Seen:  from a list, a row of a table or a nested list it becomes 1 in silence; from a NumPy array, or
#        cast, it's refused, as are a number too large, true and "1" from a list.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import pyarrow as pa

kind, schema = pa.int32(), pa.schema([("token", pa.int32())])
taken = {
    "list": pa.array([1.9, -2.9], kind).to_pylist(),
    "table": pa.table({"token": [1.9]}, schema=schema)["token"].to_pylist(),
    "rows": pa.Table.from_pylist([{"token": 1.9}], schema=schema)["token"].to_pylist(),
    "nested": pa.array([[1.9]], pa.list_(kind)).to_pylist(),
}
print("taken:", taken)
assert taken == {"list": [1, -2], "table": [1], "rows": [1], "nested": [[1]]}, "the behaviour has changed"
refused = {
    "array": lambda: pa.array(np.array([1.9]), kind),
    "cast": lambda: pa.array([1.9]).cast(kind),
    "large": lambda: pa.array([1e10], kind),
    "true": lambda: pa.array([True], kind),
    "text": lambda: pa.array(["1"], kind),
}
for name, make in refused.items():
    try:
        make()
    except pa.ArrowException as error:
        print(name, "is refused:", error)
    else:
        raise AssertionError(f"the behaviour has changed: {name}")
PYTHON
