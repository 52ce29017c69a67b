#!/usr/bin/env bash
# vendi-score 0.0.3 (Python): score_X takes an order and ignores it.
#
# Guess: score_X, score_dual and score_K of one table of embeddings agree for every order q.
# Seen:  score_X gives the score of order 1 for every q; the other two agree with each other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    vendi-score==0.0.3 numpy==2.3.5 scipy==1.15.3 scikit-learn==1.7.2
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from vendi_score import vendi

embeddings = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # a text thrice, and another
seen = {}
for q in (0.5, 1, 2, 10):
    scores = [vendi.score_X(embeddings, q=q), vendi.score_dual(embeddings, q=q)]
    seen[q] = [round(float(score), 4) for score in scores + [vendi.score_K(embeddings @ embeddings.T, q=q)]]
    print(f"order {q}: score_X, score_dual, score_K:", seen[q])
assert [scores[0] for scores in seen.values()] == [1.7548] * 4, "the behaviour has changed"
assert all(dual == k for _, dual, k in seen.values()), "the behaviour has changed"
assert seen[2][1] == 1.6, "the behaviour has changed"
PYTHON
