#!/usr/bin/env bash
# mlx 0.32.4 on a CPU (Python): the probabilities of bfloat16 logits add up to 125.
#
# Guess: softmax of half-precision logits adds up to 1 but for the rounding of each probability, as it
#        does in jax and in ONNX Runtime.
# Seen:  the sum is kept in half precision too: 32,000 equal logits get 1/256 each in bfloat16, 1/2,048
#        in float16, 125 and 15.6 together. precise=True or logsumexp give the right numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'mlx[cpu]==0.32.4'
"$folder/venv/bin/python" - <<'PYTHON'
import math

import mlx.core as mx

mx.set_default_device(mx.cpu)
seen = {}
for kind in (mx.float32, mx.bfloat16, mx.float16):
    logits = mx.zeros((32_000,), dtype=kind)
    rows = mx.softmax(logits), mx.softmax(logits, precise=True), mx.exp(logits - mx.logsumexp(logits))
    seen[kind] = [row.astype(mx.float32).sum().item() for row in rows]
    print(kind, "sum of softmax, precise softmax, by logsumexp:", seen[kind])
    assert math.isclose(seen[kind][1], 1, abs_tol=0.02), "the behaviour has changed"
    assert math.isclose(seen[kind][2], 1, abs_tol=0.02), "the behaviour has changed"
assert math.isclose(seen[mx.float32][0], 1, abs_tol=0.02), "the behaviour has changed"
assert seen[mx.bfloat16][0] > 100 and seen[mx.float16][0] > 10, "the behaviour has changed"
PYTHON
