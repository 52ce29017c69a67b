#!/usr/bin/env bash
# vendi-score 0.0.3 (Python): very small and very large orders give scores out of range.
#
# Guess: for every q the score is 1 for equal texts and their number for texts without likeness.
# Seen:  four equal texts score more than 1 at q = 0, as zeros that came out as 1e-17 count; four
#        without likeness score infinity at q = 1000, and NaN at infinity unless it is the word "inf".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    vendi-score==0.0.3 numpy==2.3.5 scipy==1.15.3 scikit-learn==1.7.2
"$folder/venv/bin/python" -W ignore- <<'PYTHON'
import math

import numpy as np
from vendi_score import vendi

equal, unlike = np.ones((4, 4)), np.eye(4)
seen = {}
for q in (0, 0.1, 1, 10, 1000, math.inf, "inf"):
    seen[q] = [round(float(vendi.score_K(matrix, q=q)), 3) for matrix in (equal, unlike)]
    print("order", q, "of four equal and four unlike texts:", seen[q])
assert seen[0][0] >= 2 and seen[1] == seen[10] == seen["inf"] == [1, 4], "the behaviour has changed"
assert seen[1000][1] == math.inf and math.isnan(seen[math.inf][1]), "the behaviour has changed"
PYTHON
