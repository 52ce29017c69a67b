#!/usr/bin/env bash
# uncertainty-calibration 0.1.4: 15 answers, each wrong at 90 to 99 %, have a calibration error of 0.
#
# Guess: confidences of 0.90 to 0.99, none of them right, have an error of about 0.94, however few.
# Seen:  get_calibration_error gives 0 for up to 15 of them, 0.32 for 16, 0.65 for 20 and 0.945 from 30 on, as
#        the correction for bias counts bins of one answer as nothing. get_ece gives 0.945 for each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    uncertainty-calibration==0.1.4 numpy==1.26.4 scipy==1.15.3 scikit-learn==1.7.2 parameterized==0.9.0
"$folder/venv/bin/python" - <<'PYTHON'
import calibration
import numpy as np

seen = {}
for count in (5, 15, 16, 20, 30, 100):
    confidences, right = np.linspace(0.90, 0.99, count), np.zeros(count, int)
    seen[count] = calibration.get_calibration_error(confidences, right)
    plain = calibration.get_ece(confidences, right)
    print(count, "wrong answers: get_calibration_error", round(seen[count], 3), "get_ece", round(plain, 3))
    assert abs(plain - 0.945) < 1e-6, "the behaviour has changed"
assert seen[5] == seen[15] == 0, "the behaviour has changed"
assert 0.3 < seen[16] < 0.34 and 0.6 < seen[20] < 0.7, "the behaviour has changed"
assert abs(seen[30] - 0.945) < 1e-3, "the behaviour has changed"
PYTHON
