#!/usr/bin/env bash
# mabwiser 2.7.4: UCB1 never tries an arm that it hasn't seen.
#
# Guess: an arm without a reward comes first, as its bound is infinite.
# Seen:  its bound is 0, below that of each arm with a positive reward, so of three arms the third isn't drawn once
#        in 1,000 rounds, though it always pays 1 and the others 0.1. Softmax and Thompson sampling find it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mabwiser==2.7.4 numpy==2.3.5 pandas==2.3.3 scipy==1.17.1 scikit-learn==1.8.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from collections import Counter

from mabwiser.mab import MAB, LearningPolicy

PAYS = {"a": 0.1, "b": 0.1, "c": 1}
for policy in (LearningPolicy.UCB1(alpha=1), LearningPolicy.Softmax(tau=0.1)):
    bandit = MAB(list(PAYS), policy, seed=1)
    bandit.fit(["a", "b"], [PAYS["a"], PAYS["b"]])
    before = bandit.predict_expectations()
    drawn = Counter()
    for _ in range(1000):
        arm = bandit.predict()
        drawn[arm] += 1
        bandit.partial_fit([arm], [PAYS[arm]])
    print(type(policy).__name__, "at first:", {arm: round(float(value), 3) for arm, value in before.items()})
    print("drawn:", dict(drawn))
    if isinstance(policy, LearningPolicy.UCB1):
        assert before["c"] == 0 and drawn["c"] == 0, "the behaviour has changed"
    else:
        assert drawn["c"] > 500
PYTHON
