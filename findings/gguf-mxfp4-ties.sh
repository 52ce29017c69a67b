#!/usr/bin/env bash
# gguf 0.19.0 (Python): MXFP4 rounds ties towards zero.
#
# Guess: halfway between two FP4 numbers the even mantissa wins, as the OCP MX specification rounds.
# Seen:  the smaller one always wins: 0.75, 1.75 and 3.5 become 0.5, 1.5 and 3 (even: 1, 2 and 4).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0
"$folder/venv/bin/python" - <<'PYTHON'
import gguf
import numpy as np

kind = gguf.GGMLQuantizationType.MXFP4
ties, smaller, even = (
    [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0],
    [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0],
    [0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0],
)
row = np.array([6.0] + ties + [0.0] * 24, np.float32)  # the 6 makes the scale of the block 1
seen = gguf.dequantize(gguf.quantize(row, kind), kind)[: len(ties) + 1].tolist()
print(ties, "become", seen[1:], "to even:", even)
assert seen == [6.0] + smaller, "the behaviour has changed"
PYTHON
