#!/usr/bin/env bash
# betacal 1.1.0: calibrated by "ab", the surest answers become the least likely ones.
#
# Guess: beta calibration never swaps two answers: a surer one stays surer, with all of its parameters or some.
# Seen:  of answers that are right half as often as they say, those of 0.7 become 0.58, those of 0.9 0.53 and those of
#        1 become 0, as parameters below 0 are kept; "abm" drops them. "abm" and "am" never swap.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    betacal==1.1.0 numpy==2.3.5 scipy==1.17.1 scikit-learn==1.8.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import betacal
import numpy as np

random = np.random.default_rng(1)
said = random.uniform(size=2000)
right = (random.uniform(size=2000) < said / 2).astype(int)
asked = np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0])
seen = {}
for parameters in ("abm", "am", "ab"):
    seen[parameters] = betacal.BetaCalibration(parameters).fit(said, right).predict(asked)
    print(parameters, dict(zip(asked.tolist(), seen[parameters].round(3).tolist())))
assert all((np.diff(seen[parameters]) >= 0).all() for parameters in ("abm", "am"))
found = seen["ab"]
assert found[3] > 0.55 and found[4] < found[3] and found[5] < 0.35 and found[6] < 0.01, "the behaviour has changed"
PYTHON
