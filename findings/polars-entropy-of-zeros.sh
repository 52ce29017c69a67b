#!/usr/bin/env bash
# polars 2.1.0 (Python): the entropy of probabilities is NaN if one of them is 0.
#
# Guess: 0 log 0 is 0, so a distribution with a forbidden token has the entropy of the others, as in
#        scipy.
# Seen:  NaN, of a series and in an expression, in silence; 1e-300 in place of 0 gives the right number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 numpy==2.3.5 scipy==1.15.3
"$folder/venv/bin/python" - <<'PYTHON'
import math

import polars as pl
from scipy.stats import entropy

seen = {}
for last in (0.0, 1e-300):
    row = [0.5, 0.5, last]
    in_frame = pl.DataFrame({"p": row}).select(pl.col("p").entropy(base=2)).item()
    seen[last] = [pl.Series(row).entropy(base=2), in_frame, float(entropy(row, base=2))]
    print(row, "polars, polars in an expression, scipy:", seen[last])
assert math.isnan(seen[0][0]) and math.isnan(seen[0][1]), "the behaviour has changed"
assert seen[1e-300] == [1, 1, 1] and seen[0][2] == 1, "the behaviour has changed"
PYTHON
