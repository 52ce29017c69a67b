#!/usr/bin/env bash
# mauve-text 0.4.0: two sets that hold one text alone, the same, score 0.75.
#
# Guess: texts compared with themselves score 1, whatever they are: a model that answers the same each
#        time, compared with itself, too.
# Seen:  where all features are equal the score is 0.75, of 20 texts or of 500; three texts, each as
#        often in both sets, score 1, and so do features against 1,000 times themselves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mauve-text==0.4.0 numpy==2.4.6 scikit-learn==1.9.1 faiss-cpu==1.15.1
"$folder/venv/bin/python" -W ignore - 2>/dev/null <<'PYTHON'
import mauve
import numpy as np


def score(p, q):
    return round(float(mauve.compute_mauve(p_features=p, q_features=q, verbose=False).mauve), 3)


three = np.random.default_rng(1).normal(size=(3, 4))
for count in (20, 500):
    one = np.tile(three[:1], (count, 1))
    seen = score(one, one.copy())
    print(count, "times one text against itself:", seen)
    assert seen == 0.75, "the behaviour has changed"
several = np.tile(three, (20, 1))
seen = score(several, several.copy()), score(several, 1000 * several)
print("three texts, 20 times each, against themselves; against 1,000 times their features:", seen)
assert seen == (1, 1), "the behaviour has changed"
PYTHON
