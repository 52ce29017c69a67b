#!/usr/bin/env bash
# vose-alias-method 1.2.2: tokens of 0.1 and 0.3 are drawn alike.
#
# Guess: weights that don't add up to 1, counts or what top-k leaves of probabilities, are drawn in proportion or
#        refused.
# Seen:  they're taken as probabilities, in silence: 1 and 3 are drawn 1 to 1, and so are 0.1 and 0.3. 0.25 and 0.75
#        are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check vose-alias-method==1.2.2
"$folder/venv/bin/python" - <<'PYTHON'
import random

from vose_sampler import VoseAlias

for weights, expected in (
    ({"a": 0.25, "b": 0.75}, 0.75),
    ({"a": 1, "b": 3}, 0.5),
    ({"a": 0.1, "b": 0.3}, 0.5),
):
    drawn = VoseAlias(weights, rng=random.Random(1)).sample_n(20000)
    seen = drawn.count("b") / len(drawn)
    print(weights, "share of b:", seen, "in proportion: 0.75")
    assert abs(seen - expected) < 0.02, "the behaviour has changed"
PYTHON
