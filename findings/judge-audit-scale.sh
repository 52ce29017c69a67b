#!/usr/bin/env bash
# judge-audit 0.1.0: a judge that is off by 0.32 on average is off by 0.8.
#
# Guess: calibration_error of predictions and targets on the same scale is the mean gap, here 0.32.
# Seen:  without `scale` both are stretched to the targets' own range. Where all answers are wrong each prediction
#        above 0 is 1, so 0, 0.1, 0.2, 0.3 and 1 have 0.8; predictions outside of the targets' range are cut:
#        3 for 1 and 30 for 10 are 1 and 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check judge-audit==0.1.0 numpy==2.3.5
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from judge_audit.calibrate import calibration_error

cases = [
    ([0, 0.1, 0.2, 0.3, 1.0], [0] * 5, None, 0.8),
    ([0, 0.1, 0.2, 0.3, 1.0], [0] * 5, (0, 1), 0.32),
    ([0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0], None, 1.0),
    ([0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0], (0, 1), 0.1),
]
for predicted, target, scale, expected in cases:
    seen = calibration_error(predicted, target, scale=scale)["ece"]
    print(predicted, "against", target, "scale", scale, "- error:", round(float(seen), 3))
    assert abs(seen - expected) < 1e-6, "the behaviour has changed"
PYTHON
