#!/usr/bin/env bash
# filterpy 2.0.0, pfilter 0.2.5: residual resampling never draws a particle of a weight below 1/n.
#
# Guess: each of n particles is drawn n times its weight on average, as in the other three schemes.
# Seen:  weights 0.5, 0.3, 0.15, 0.05 of four particles give 2.75, 1.25, 0, 0 instead of 2, 1.2, 0.6, 0.2, in
#        both packages: the rest is what remains of the weight, not of n times the weight. Stratified,
#        systematic and multinomial draws are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    filterpy==2.0.0 pfilter==0.2.5 numpy==1.26.4 scipy==1.15.3 matplotlib==3.10.9
"$folder/venv/bin/python" - <<'PYTHON'
import filterpy.monte_carlo
import numpy as np
import pfilter

WEIGHTS = np.array([0.5, 0.3, 0.15, 0.05])
ROUNDS = 20_000
np.random.seed(1)
seen = {}
for package in (filterpy.monte_carlo, pfilter):
    for scheme in ("residual", "stratified", "systematic", "multinomial"):
        draw = getattr(package, f"{scheme}_resample")
        counts = sum(np.bincount(draw(WEIGHTS), minlength=4) for _ in range(ROUNDS)) / ROUNDS
        print(package.__name__, scheme, "mean copies:", counts.round(2), "expected:", 4 * WEIGHTS)
        if scheme == "residual":
            assert counts[2] == counts[3] == 0, "the behaviour has changed"
            assert abs(counts[0] - 2.75) < 0.03, "the behaviour has changed"
        else:
            assert np.abs(counts - 4 * WEIGHTS).max() < 0.05, "the behaviour has changed"
PYTHON
