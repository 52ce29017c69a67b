#!/usr/bin/env bash
# arch 8.0.0: the BCa interval of a share of right answers isn't that of wrong answers, mirrored.
#
# Guess: 9 right of 10 and 1 wrong of 10 are the same data, so one interval is 1 minus the other, by each method.
# Seen:  by bca 9 of 10 has [0.4, 1] and 1 of 10 [0, 0.3], as resamples equal to the estimate count as above it
#        alone, and of ten answers they're 39 %. scipy 1.17.1, which halves ties, has [0.5, 1] and [0, 0.5]. 10 of 10
#        has an interval by percentiles, an error by bca.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    arch==8.0.0 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 statsmodels==0.15.0
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import scipy.stats
from arch.bootstrap import IIDBootstrap


def interval(answers, method):
    draws = IIDBootstrap(np.array(answers), seed=1)
    ends = draws.conf_int(lambda sample: np.array([sample.mean()]), 5000, method=method).ravel()
    return [round(float(end), 3) for end in ends]


right = [1] * 9 + [0]
wrong = [1 - answer for answer in right]
for method, expected in (("percentile", [[0.7, 1], [0, 0.3]]), ("bca", [[0.401, 1], [0, 0.3]])):
    seen = [interval(right, method), interval(wrong, method)]
    print(method, "of 9 right in 10:", seen[0], "of 1 wrong in 10:", seen[1])
    assert seen == expected, "the behaviour has changed"
for answers, expected in ((right, [0.5, 1]), (wrong, [0, 0.5])):
    drawn = scipy.stats.bootstrap((answers,), np.mean, n_resamples=5000, method="BCa", random_state=1)
    ends = drawn.confidence_interval
    print("scipy's bca of", sum(answers), "in 10:", [float(ends.low), float(ends.high)])
    assert [round(ends.low, 3), round(ends.high, 3)] == expected, "the behaviour of scipy has changed"
assert interval([1] * 10, "percentile") == [1, 1], "the behaviour has changed"
try:
    interval([1] * 10, "bca")
    raise AssertionError("the behaviour has changed")
except RuntimeError as error:
    print("bca of 10 right in 10:", str(error)[:80])
PYTHON
