#!/usr/bin/env bash
# baycomp 1.0.3: a model compared with itself is better with 67 to 79 %.
#
# Guess: equal scores on every data set give each side one half.
# Seen:  two_on_multiple gives the first side 0.79 of one data set, 0.71 of five, 0.67 of thirty, whichever model it
#        is, as draws that are equal count for it; SignTest of two and more gives NaN. One better score among thirty
#        equal ones is certainty. With a region of equivalence (rope) equal models are equivalent, and
#        two_on_single gives one half.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    baycomp==1.0.3 numpy==1.26.4 scipy==1.15.3 matplotlib==3.10.9
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import baycomp
import numpy as np

for count, expected in ((1, 0.785), (5, 0.708), (30, 0.676)):
    scores = np.linspace(0.5, 0.9, count)
    first, _, second = baycomp.two_on_multiple(scores, scores, rope=0, random_state=1)
    print(count, "equal data sets:", round(first, 3), round(second, 3))
    assert abs(first - expected) < 0.02, "the behaviour has changed"
    assert baycomp.two_on_multiple(scores, scores, rope=0.01, random_state=1) == (0, 1, 0)
    if count > 1:
        by_signs = baycomp.SignTest.probs(scores, scores, rope=0)
        assert all(map(math.isnan, by_signs)), "the behaviour has changed"
        assert baycomp.two_on_single(scores, scores, rope=0) == (0.5, 0.5)

better = scores.copy()
better[0] += 0.1
seen = baycomp.two_on_multiple(better, scores, rope=0, random_state=1)
print("one of thirty is better:", *seen)
assert seen == (1, 0, 0), "the behaviour has changed"
PYTHON
