#!/usr/bin/env bash
# jax 0.10.2 (Python): draws from bfloat16 logits have dice of 7 bits.
#
# Guess: jax.random.categorical of 32,000 equal logits draws any of them, whatever the type, since
#        equal numbers lose nothing in bfloat16.
# Seen:  in bfloat16 2,000 draws are all among the first 1,000 tokens, in float16 95 % in the first
#        tenth: the noise has so few values that the best tie, and the first wins; mode="high" still
#        draws the first tenth twice as often. bernoulli of 0.001 is true for 1 in 128.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

TOKENS, DRAWS = 32_000, 2_000
key = jax.random.key(0)
seen = {}
for kind in (jnp.float32, jnp.float16, jnp.bfloat16):
    drawn = np.asarray(jax.random.categorical(key, jnp.zeros((TOKENS,), kind), shape=(DRAWS,)))
    rare = np.asarray(jax.random.bernoulli(key, jnp.array(0.001, kind), (200_000,)))
    seen[kind.__name__] = (drawn.max(), np.mean(drawn < TOKENS / 10), rare.mean())
    print(kind.__name__, "largest token, share of the first tenth, bernoulli of 0.001:", *seen[kind.__name__])
high = jax.random.categorical(key, jnp.zeros((TOKENS,), jnp.bfloat16), shape=(DRAWS,), mode="high")
high = np.mean(np.asarray(high) < TOKENS / 10)
print("bfloat16 with mode high, share of the first tenth:", high)
assert high > 0.15, "the behaviour has changed"
assert seen["float32"][0] > 31_000 and seen["float32"][1] < 0.15, "the behaviour has changed"
assert seen["float16"][1] > 0.9, "the behaviour has changed"
assert seen["bfloat16"][0] < 1_000 and seen["bfloat16"][2] > 0.007, "the behaviour has changed"
PYTHON
