#!/usr/bin/env bash
# optax 0.2.8: a label of -1 is the last token, one of -100 makes the loss NaN.
#
# Guess: labels that mark a place to be left out have a loss of 0, or an error says that they're no
#        tokens.
# Seen:  -1 counts as the last token of the vocabulary, with that token's loss, -100 and an id beyond the
#        vocabulary are NaN, and so is the mean of the text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    optax==0.2.8 jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import math

import jax.numpy as jnp
import optax

labels = [2, 0, -1, -100, 5]
logits = jnp.array([[1.0, 2.0, 4.0]] * len(labels))
losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.array(labels)).tolist()
seen = dict(zip(labels, losses))
print("loss by label, of three tokens:", seen)
assert seen[-1] == seen[2] and seen[0] > 3, "the behaviour has changed"
assert math.isnan(seen[-100]) and math.isnan(seen[5]), "the behaviour has changed"
PYTHON
