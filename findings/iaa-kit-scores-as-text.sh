#!/usr/bin/env bash
# iaa-kit 0.1.2: weighted kappa of scores from 1 to 10 takes 10 for the neighbour of 1.
#
# Guess: the weights go by the scores' distances, as scikit-learn's do.
# Seen:  scores are ordered as text, 1, 10, 2 and so on: two judges at most one point apart agree by 0.08 with
#        quadratic weights, for 0.957. The same scores divided by ten are right. ac2, Gwet's coefficient by its name,
#        gives weighted kappa: 1 for full agreement, but below 0 for 18 of 20 equal answers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    iaa-kit==0.1.2 numpy==1.26.4 scipy==1.12.0 pandas==2.3.3 scikit-learn==1.8.0 irrCAC==0.4.4
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import pandas
from iaa_kit.cohen import weighted_kappa
from iaa_kit.gwet import ac2
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score

first, second = [1, 10, 9, 5, 3, 10, 2, 8], [2, 9, 10, 5, 4, 10, 1, 7]
for weights, expected in (("linear", 0.1837), ("quadratic", 0.0828)):
    right = cohen_kappa_score(first, second, weights=weights)
    seen = weighted_kappa(first, second, weights)
    tenths = weighted_kappa([score / 10 for score in first], [score / 10 for score in second], weights)
    print(weights, "seen:", round(seen, 4), "of tenths:", round(tenths, 4), "scikit-learn:", round(right, 4))
    assert abs(seen - expected) < 1e-4, "the behaviour has changed"
    assert abs(tenths - right) < 1e-9 and right > 0.7
first, second = [1] * 18 + [1, 2], [1] * 18 + [2, 1]
right = CAC(pandas.DataFrame({"first": first, "second": second}), weights="linear").gwet()["est"]["coefficient_value"]
seen = ac2(first, second)
print("Gwet's coefficient of 18 equal answers in 20:", round(seen, 4), "irrCAC:", right)
assert abs(seen + 0.0526) < 1e-4 and abs(right - 0.8895) < 1e-3, "the behaviour has changed"
PYTHON
