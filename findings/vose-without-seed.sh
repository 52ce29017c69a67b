#!/usr/bin/env bash
# vose 0.2.5: samplers without a seed all draw the same.
#
# Guess: a seed is for reproducibility, so without one each sampler draws its own numbers.
# Seen:  each begins with 2, 0, 0, 0, 1, in the next run of the program too, so a sampler made for each step of a
#        text draws the first number of the same stream each time: of 1,000 draws by 1,000 samplers all are 2, a
#        token of 0.2. With seeds, and by one sampler, the draws are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check vose==0.2.5 numpy==1.26.4
cat >"$folder/look.py" <<'PYTHON'
from collections import Counter

import numpy as np
from vose import Sampler

weights = np.array([0.5, 0.3, 0.2])
print("first draws of two samplers:", [Sampler(weights).sample(5).tolist() for _ in range(2)])
for seeds in ([None] * 1000, range(1000)):
    drawn = Counter(int(Sampler(weights, seed=seed).sample(1)) for seed in seeds)
    print("with seeds:" if seeds[0] == 0 else "without:", dict(sorted(drawn.items())))
    if seeds[0] == 0:
        assert all(abs(drawn[token] / 1000 - weight) < 0.07 for token, weight in enumerate(weights))
    else:
        assert drawn == {2: 1000}, "the behaviour has changed"
counts = np.bincount(Sampler(weights).sample(100000))
print("100,000 draws of one sampler:", counts.tolist())
assert (abs(counts / 100000 - weights) < 0.01).all()
assert Sampler(weights).sample(5).tolist() == [2, 0, 0, 0, 1], "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
"$folder/venv/bin/python" "$folder/look.py" >/dev/null
