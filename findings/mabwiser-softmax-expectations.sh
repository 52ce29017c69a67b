#!/usr/bin/env bash
# mabwiser 2.7.4: the expectations of Softmax and Popularity are drawn by chance.
#
# Guess: predict_expectations gives the arms' probabilities, or their mean rewards; the same each time.
# Seen:  each call gives other numbers that add up to 1: for probabilities of 0.62 and 0.38 the worse arm is ahead in
#        about 4 of 10 calls. Their mean is the probabilities, and predict draws by those.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mabwiser==2.7.4 numpy==2.3.5 pandas==2.3.3 scipy==1.17.1 scikit-learn==1.8.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from mabwiser.mab import MAB, LearningPolicy

for policy, better in ((LearningPolicy.Softmax(tau=1), 0.622), (LearningPolicy.Popularity(), 2 / 3)):
    bandit = MAB(["a", "b"], policy, seed=1)
    bandit.fit(["a", "a", "b", "b"], [1, 0, 1, 1])
    seen = np.array([list(bandit.predict_expectations().values()) for _ in range(5000)])
    drawn = np.mean([bandit.predict() == "b" for _ in range(5000)])
    print(type(policy).__name__, "three calls:", seen[:3].round(3).tolist())
    ahead = np.mean(seen[:, 0] > seen[:, 1])
    print("probability of b:", round(better, 3), "mean:", seen[:, 1].mean().round(3))
    print("drawn:", drawn, "a ahead:", ahead)
    assert np.allclose(seen.sum(1), 1)
    assert abs(drawn - better) < 0.03
    assert abs(seen[:, 1].mean() - better) < 0.03 and 0.25 < ahead < 0.5, "the behaviour has changed"
PYTHON
