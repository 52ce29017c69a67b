#!/usr/bin/env bash
# emcee 3.1.6, numpyro 0.22.0: a chain that alternates has a negative number of effective draws.
#
# Guess: the autocorrelation time is at least a little above 0, so that the draws divided by it are a number
#        of effective draws, however the chain moves.
# Seen:  for 0, 1, 0, 1, ... emcee's time is -0.998, and numpyro's effective size of 4,000 draws -4,000.
#        Draws without correlation have about 1 and 4,000 in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    emcee==3.1.6 numpyro==0.22.0 jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import emcee
import numpy as np
from numpyro.diagnostics import effective_sample_size

alternating = np.tile([0.0, 1.0], (4, 500))
plain = np.random.default_rng(1).normal(size=(4, 1000))
seen = {}
for name, chains in (("alternating", alternating), ("without correlation", plain)):
    time = float(emcee.autocorr.integrated_time(chains[0], quiet=True)[0])
    size = float(effective_sample_size(chains))
    seen[name] = time, size
    print(name, "emcee's time:", round(time, 3), "numpyro's size:", round(size))
assert abs(seen["alternating"][0] + 0.998) < 1e-6, "the behaviour has changed"
assert -4001 < seen["alternating"][1] < -3999, "the behaviour has changed"
time, size = seen["without correlation"]
assert 0.5 < time < 2 and 3000 < size < 5000, "the behaviour has changed"
PYTHON
