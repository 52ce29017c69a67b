#!/usr/bin/env bash
# numpyro 0.22.0: a masked token is allowed as probability 0, refused as a logit of minus infinity.
#
# Guess: Categorical takes logits with minus infinity for masked tokens, as it takes probabilities with 0.
# Seen:  the probabilities are taken, and the entropy is that of the other two tokens. The logits are refused
#        as invalid; with validate_args=False they're taken, but the entropy is NaN.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpyro==0.22.0 jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import numpyro.distributions as dist

logits = np.array([0.0, 0.0, -np.inf])
by_probability = float(dist.Categorical(probs=np.array([0.5, 0.5, 0.0])).entropy())
print("entropy of probabilities with 0:", by_probability)
try:
    dist.Categorical(logits=logits)
    raise SystemExit("the behaviour has changed")
except ValueError as error:
    print("logits with minus infinity:", error)
unchecked = dist.Categorical(logits=logits, validate_args=False)
print("unchecked: entropy", float(unchecked.entropy()), "log-probabilities", unchecked.log_prob(np.arange(3)))
assert abs(by_probability - np.log(2)) < 1e-6, "the behaviour has changed"
assert np.isnan(float(unchecked.entropy())), "the behaviour has changed"
PYTHON
