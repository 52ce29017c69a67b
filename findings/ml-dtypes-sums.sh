#!/usr/bin/env bash
# ml_dtypes 0.6.0 (Python): a sum of bfloat16 is kept in bfloat16.
#
# Guess: numpy's sum and mean of bfloat16 are as near as those of float16: 1,000 ones add up to 1,000
#        and their mean is 1.
# Seen:  the sum stops at 256, the mean of 1,000 ones is 0.256. A softmax over such a row doesn't add
#        up to 1. With dtype=float32 both are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ml_dtypes==0.6.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import ml_dtypes
import numpy as np

ones = np.ones(1000, ml_dtypes.bfloat16)
sums = float(ones.sum()), float(np.ones(1000, np.float16).sum()), float(ones.sum(dtype=np.float32))
print("1,000 ones: bfloat16, float16, bfloat16 summed in float32:", sums)
print("their mean in bfloat16:", float(ones.mean()))
logits = np.zeros(1000, ml_dtypes.bfloat16)
softmax = np.exp(logits) / np.exp(logits).sum()
total = float(softmax.astype(np.float64).sum())
print("a softmax of 1,000 equal logits adds up to", total)
assert sums == (256.0, 1000.0, 1000.0), "the behaviour has changed"
assert abs(float(ones.mean()) - 0.256) < 1e-3 and abs(total - 3.90625) < 1e-2, "the behaviour has changed"
PYTHON
