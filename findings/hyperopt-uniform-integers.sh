#!/usr/bin/env bash
# hyperopt 0.3.0: uniform integers aren't, and a grid from 1 to 10 begins at 0.
#
# Guess: `uniformint` of 0 to 4 gives each of the five alike, as `randint` does; `quniform` of 1 to
#        10 in steps of 4 gives 1, 5 and 9.
# Seen:  0 and 4 come half as often as the others, as a real number is drawn and rounded. `quniform`
#        gives 0, which is below its bound, 4 and 8.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hyperopt==0.3.0 numpy==2.2.6 setuptools==80.9.0
cat >"$folder/look.py" <<'PYTHON'
from collections import Counter

import numpy as np
from hyperopt import hp
from hyperopt.pyll.stochastic import sample

random = np.random.default_rng(1)


def shares(space, draws=4000):
    counts = Counter(float(sample(space, rng=random)) for _ in range(draws))
    return {value: count / draws for value, count in sorted(counts.items())}


uniform, even = shares(hp.uniformint("a", 0, 4)), shares(hp.randint("b", 5))
grid = shares(hp.quniform("c", 1, 10, 4))
print("uniformint:", uniform, "randint:", even, "quniform:", grid)
for end, middle in ((0, 1), (4, 3)):
    assert 0.4 < uniform[end] / uniform[middle] < 0.6, "the behaviour has changed"
    assert 0.8 < even[end] / even[middle] < 1.2
assert list(grid) == [0, 4, 8], "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
