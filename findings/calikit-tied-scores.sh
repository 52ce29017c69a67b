#!/usr/bin/env bash
# calikit 0.1.0: isotonic regression gives equal confidences of half right answers 0.
#
# Guess: confidences of 0.5, half of them right, and of 0.9, nine in ten right, are kept, as equal ones are pooled.
# Seen:  they are sorted by their answers too, wrong ones first, so that each forms a step of its own: 0.5 becomes 0
#        and 0.9 becomes 1. On the data it was fitted to the log loss goes from 0.5 to 8.3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check calikit==0.1.0
"$folder/venv/bin/python" - <<'PYTHON'
from calikit import fit_isotonic, log_loss

confidences = [0.5] * 20 + [0.9] * 20
right = [0, 1] * 10 + [0] * 2 + [1] * 18
fitted = fit_isotonic(confidences, right)
seen = fitted.apply([0.5, 0.9])
pooled = [sum(right[:20]) / 20, sum(right[20:]) / 20]
print("0.5 and 0.9, calikit:", seen, "pooled:", pooled)
print("steps (from, to, value):", fitted.blocks)
before, after = log_loss(confidences, right), log_loss(fitted.apply(confidences), right)
print("log loss before:", round(before, 3), "after:", round(after, 3))
assert pooled == [0.5, 0.9]
assert seen == [0.0, 1.0], "the behaviour has changed"
assert before < 0.6 and after > 5, "the behaviour has changed"
PYTHON
