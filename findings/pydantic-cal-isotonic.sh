#!/usr/bin/env bash
# pydantic-cal 0.0.4: isotonic regression works only where there is nothing to do.
#
# Guess: IsotonicScaler pools answers whose order is wrong; real confidences have many, and repeat.
# Seen:  wherever it has to pool, an IndexError ends it: four answers wrong, right, wrong, right, or a hundred of
#        the confidences 0.2 and 0.9. Answers in order pass unchanged. PlattScaler takes the same numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pydantic-cal==0.0.4 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from pydantic_cal.scalers import IsotonicScaler, PlattScaler


def fitted(kind, confidences, correct):
    try:
        scaler = kind().fit(np.array(confidences, float), np.array(correct, float))
    except IndexError as error:
        return str(error)
    return scaler.transform(np.array([0.2, 0.9])).round(2).tolist()


many = [0.2] * 50 + [0.9] * 50
cases = {
    "in order": ([0.2, 0.4, 0.9], [0, 0, 1], [0, 1]),
    "two out of order": ([0.2, 0.4, 0.6, 0.9], [0, 1, 0, 1], "index 3 is out of bounds for axis 0 with size 3"),
    "a hundred": (many, [1, 0, 0, 0, 0] * 10 + [1, 1, 1, 1, 0] * 10, None),
}
for name, (confidences, correct, expected) in cases.items():
    seen = fitted(IsotonicScaler, confidences, correct)
    print(name, "- isotonic:", seen, "Platt:", fitted(PlattScaler, confidences, correct))
    if expected is None:
        assert "out of bounds" in seen, "the behaviour has changed"
        assert fitted(PlattScaler, confidences, correct) == [0.2, 0.8]
    else:
        assert seen == expected, "the behaviour has changed"
PYTHON
