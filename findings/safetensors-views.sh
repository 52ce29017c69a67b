#!/usr/bin/env bash
# safetensors 0.8.0: NumPy views that are not contiguous are written as other numbers.
#
# Guess: save writes the numbers of a view, or refuses an array that is not contiguous.
# Seen:  it writes the first bytes of the underlying memory under the shape of the view, and raises nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from safetensors.numpy import load, save

numbers = np.arange(6, dtype=np.float32)
views = {
    "whole": numbers,
    "every second": numbers[::2],
    "transposed": numbers.reshape(2, 3).T,
    "copied": numbers.reshape(2, 3).T.copy(),
}
seen = {name: load(save({"x": view}))["x"].tolist() for name, view in views.items()}
for name, view in views.items():
    print(f"{name}: {view.tolist()} became {seen[name]}")
assert seen == {
    "whole": [0, 1, 2, 3, 4, 5],
    "every second": [0, 1, 2],
    "transposed": [[0, 1], [2, 3], [4, 5]],
    "copied": [[0, 3], [1, 4], [2, 5]],
}, "the behaviour has changed"
PYTHON
