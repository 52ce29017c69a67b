#!/usr/bin/env bash
# sqlite-vec 0.1.9: an embedding written as JSON has six decimals.
#
# Guess: `vec_to_json` writes float32 numbers so that reading them gives the same ones, as JSON's
#        writers do.
# Seen:  0.00012345679 is written as 0.000123 and 4e-7 as 0.000000, so an embedding of 1,536 small
#        numbers, written and read, is another one. Sums of int8 vectors wrap around: 100 and 100
#        are -56.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlite-vec==0.1.9 apsw==3.54.1.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import json

import apsw
import numpy as np
import sqlite_vec

base = apsw.Connection(":memory:")
base.enable_load_extension(True)
base.load_extension(sqlite_vec.loadable_path())


def get(expression, *values):
    return base.execute(f"select {expression}", values).fetchone()[0]


numbers = np.array([0.00012345679, 4e-7, 0.1, 123.456789], np.float32)
seen = get("vec_to_json(vec_f32(?))", numbers.tobytes())
print([str(number) for number in numbers], "are written as", seen)
assert seen == "[0.000123,0.000000,0.100000,123.456787]", "the behaviour has changed"
numbers = np.random.default_rng(1).normal(0, 1e-4, 1536).astype(np.float32)
again = np.array(json.loads(get("vec_to_json(vec_f32(?))", numbers.tobytes())), np.float32)
exact = np.array(json.loads(json.dumps(numbers.tolist())), np.float32)
print("of 1,536 numbers", sum(again == numbers), "come back, by Python's writer", sum(exact == numbers))
assert sum(again == numbers) < 100 and (exact == numbers).all(), "the behaviour has changed"
assert get("vec_to_json(vec_add(vec_int8('[100]'), vec_int8('[100]')))") == "[-56]", "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
