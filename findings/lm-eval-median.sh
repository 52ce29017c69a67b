#!/usr/bin/env bash
# lm-eval 0.4.13: the median of an even number of scores is the larger one of the middle two.
#
# Guess: the aggregation `median` is the mean of the middle two, as NumPy's is.
# Seen:  [1, 100] has 100, and [1, 2, 3, 4] has 3. So of right and wrong answers half and half the median is 1. One
#        score alone has no standard error: mean_stderr raises ZeroDivisionError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps lm-eval==0.4.13
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 sacrebleu==2.6.0
"$folder/venv/bin/python" - <<'PYTHON'
from lm_eval.api.metrics import mean_stderr, median

for scores, expected in (([1, 100], 100), ([4, 1, 3, 2], 3), ([0, 1], 1), ([3, 1, 2], 2)):
    seen = median(scores)
    print("median of", scores, "is", seen)
    assert seen == expected, "the behaviour has changed"
try:
    mean_stderr([1])
    raise AssertionError("the behaviour has changed")
except ZeroDivisionError:
    print("the standard error of one score: ZeroDivisionError")
PYTHON
