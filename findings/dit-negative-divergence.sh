#!/usr/bin/env bash
# dit 2.3: an alpha divergence is negative.
#
# Guess: a divergence is 0 or more for every alpha, or infinite.
# Seen:  where one side has a probability of 0, that of one half, one half from four quarters is -0.86 for alpha 2 and
#        -0.375 for alpha 3, and that for -2 is finite though the one for -1 is infinite. Without a 0 all are above
#        0; Rényi's of order 2 is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dit==2.3 numpy==1.26.4 scipy==1.12.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import dit

CHOICES = ["a", "b", "c", "d"]
half = dit.Distribution(CHOICES, [0.5, 0.5, 0, 0])
quarters = dit.Distribution(CHOICES, [0.25] * 4)
skewed = dit.Distribution(CHOICES, [0.4, 0.3, 0.2, 0.1])
seen = {}
for name, first in (("half", half), ("skewed", skewed)):
    for alpha in (-2, -1, 0, 0.5, 1, 2, 3):
        seen[name, alpha] = float(dit.divergences.alpha_divergence(first, quarters, alpha))
    print(name, "from quarters:", {alpha: round(value, 4) for (kind, alpha), value in seen.items() if kind == name})
assert abs(seen["half", 2] + 0.8619) < 1e-3 and seen["half", 3] == -0.375, "the behaviour has changed"
assert seen["half", -1] == math.inf and seen["half", -2] < 1, "the behaviour has changed"
assert all(value > 0 for (kind, _), value in seen.items() if kind == "skewed")
assert abs(float(dit.divergences.renyi_divergence(half, quarters, 2)) - 1) < 1e-9
PYTHON
