#!/usr/bin/env bash
# ml_dtypes 0.6.0 (Python): the scale of a block of zeros becomes NaN.
#
# Guess: E8M0, the type of MXFP4's scales, has no zero, so 0 becomes its smallest number, 2^-127, as
#        1e-45 does.
# Seen:  0 becomes NaN. And FP4, which has no NaN, makes -0 of NaN and 6 of infinity.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ml_dtypes==0.6.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import ml_dtypes
import numpy as np


def cast(numbers, kind):
    return np.array(numbers, np.float32).astype(kind).astype(np.float32)


scales = cast([1e-45, 0.0, 3.0], ml_dtypes.float8_e8m0fnu)
print("E8M0 of 1e-45, 0 and 3:", scales)
codes = cast([np.nan, np.inf, 7.0], ml_dtypes.float4_e2m1fn)
print("FP4 of NaN, infinity and 7:", codes)
assert scales[0] == 2.0**-127 and np.isnan(scales[1]) and scales[2] == 4.0, "the behaviour has changed"
assert codes.tolist() == [0.0, 6.0, 6.0] and np.signbit(codes[0]), "the behaviour has changed"
PYTHON
