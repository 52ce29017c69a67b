#!/usr/bin/env bash
# mlxtend 0.25.0: of two models the p-value of their difference is 0.02 or 0.98, by which comes first.
#
# Guess: proportion_difference gives the p-value of a difference, so equal models have 1 and the order doesn't matter.
# Seen:  it's the normal distribution at z: 90 and 80 right of 100 have 0.977, 80 and 90 0.023, equal ones 0.5, and so
#        a difference that is beyond doubt has a p-value of 1. Two models without a mistake have NaN.
#        statsmodels 0.15.0 has 0.048, either way, with its own standard error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mlxtend==0.25.0 numpy==2.3.5 scipy==1.17.1 pandas==2.3.3 scikit-learn==1.8.0 matplotlib==3.10.9 statsmodels==0.15.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

from mlxtend.evaluate import proportion_difference
from statsmodels.stats.proportion import proportions_ztest

cases = [(90, 80, 0.9772), (80, 90, 0.0228), (90, 90, 0.5), (99, 10, 1.0), (10, 99, 0.0)]
for first, second, expected in cases:
    seen = proportion_difference(first / 100, second / 100, 100)[1]
    right = proportions_ztest([first, second], [100, 100])[1]
    print(first, "and", second, "right of 100: p-value", round(seen, 4), "statsmodels:", round(right, 4))
    assert abs(seen - expected) < 1e-3, "the behaviour has changed"
    assert abs(right - proportions_ztest([second, first], [100, 100])[1]) < 1e-9
seen = proportion_difference(1.0, 1.0, 100)[1]
print("100 and 100 right of 100:", seen)
assert math.isnan(seen), "the behaviour has changed"
PYTHON
