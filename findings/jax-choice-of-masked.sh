#!/usr/bin/env bash
# jax 0.10.2: drawing without replacement goes on into what has a probability of 0.
#
# Guess: three distinct tokens of three, one of which is masked, is an error as in NumPy, or the masked
#        one can be told from the others.
# Seen:  random.choice with replace=False and random.categorical with replace=False give the masked one,
#        at the end of each draw, without a mark.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

probabilities = jnp.array([0.5, 0.0, 0.5])
try:
    np.random.default_rng(1).choice(3, 3, replace=False, p=np.array(probabilities))
    raise SystemExit("NumPy has changed")
except ValueError as error:
    print("NumPy:", error)
for seed in range(20):
    key = jax.random.key(seed)
    chosen = jax.random.choice(key, 3, (3,), replace=False, p=probabilities).tolist()
    drawn = jax.random.categorical(key, jnp.log(probabilities), shape=(3,), replace=False).tolist()
    if seed < 3:
        print("seed", seed, "choice:", chosen, "categorical:", drawn)
    assert sorted(chosen) == sorted(drawn) == [0, 1, 2], "the behaviour has changed"
    assert chosen[2] == drawn[2] == 1, "the behaviour has changed"
PYTHON
