#!/usr/bin/env bash
# optax 0.2.8: a distribution with a masked token isn't at distance 0 from itself.
#
# Guess: the Kullback-Leibler divergence of probabilities from themselves is 0, with a token of
#        probability 0 among them too, as 0 log 0 is 0 in scipy and in jax's rel_entr.
# Seen:  NaN from kl_divergence, convex_kl_divergence, kl_divergence_with_log_targets and
#        generalized_kl_divergence; 1e-30 in place of 0 gives 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    optax==0.2.8 jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import math

import jax.numpy as jnp
from jax.scipy.special import rel_entr
from optax import losses

for least in (0.0, 1e-30):
    p = jnp.array([0.5, 0.5, least])
    seen = {
        "kl_divergence": losses.kl_divergence(jnp.log(p), p),
        "convex_kl_divergence": losses.convex_kl_divergence(jnp.log(p), p),
        "kl_divergence_with_log_targets": losses.kl_divergence_with_log_targets(jnp.log(p), jnp.log(p)),
        "generalized_kl_divergence": losses.generalized_kl_divergence(jnp.log(p), p),
    }
    seen = {name: float(value) for name, value in seen.items()}
    print("least probability:", least, seen, "rel_entr of jax:", float(rel_entr(p, p).sum()))
    assert float(rel_entr(p, p).sum()) == 0, "jax has changed"
    right = (lambda value: abs(value) < 1e-6) if least else math.isnan
    assert all(map(right, seen.values())), "the behaviour has changed"
PYTHON
