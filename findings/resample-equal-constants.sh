#!/usr/bin/env bash
# resample 1.10.3: two samples of one and the same value differ significantly.
#
# Guess: the permutation test of [1, 1, 1] against [1, 1, 1] has a p-value of 1, as every permutation is alike.
# Seen:  the t-test has 0.005 with 200 permutations and 0.001 with 1,000, the least there is: the statistic is 0/0,
#        and NaN counts as beyond every permutation. [1, 1, 1] against [2, 2, 2] has about 0.1, as it should.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    resample==1.10.3 numpy==1.26.4 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from resample.permutation import ttest


def p(first, second, size):
    return ttest(first, second, size=size, random_state=1).pvalue


for size in (200, 1000):
    seen = p([1, 1, 1], [1, 1, 1], size)
    print("equal constants, of", size, "permutations:", seen)
    assert abs(seen - 1 / (size + 1)) < 1e-9, "the behaviour has changed"
seen = p([1, 1, 1], [2, 2, 2], 1000)
print("different constants:", seen)
assert 0.05 < seen < 0.2, "the behaviour has changed"
assert p([1, 2, 3], [1, 2, 3], 1000) > 0.9, "the behaviour has changed"
PYTHON
