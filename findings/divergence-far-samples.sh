#!/usr/bin/env bash
# divergence 1.1.0: samples that lie far apart have a divergence below 0, or of 0.
#
# Guess: of normal samples of standard deviation 1 the divergences grow with the distance: Kullback-Leibler is half its
#        square, total variation goes to 1.
# Seen:  they're integrated over one sample's range alone. At a distance of 8 Kullback-Leibler is -1.4 for 32,
#        chi-squared is 0.007 after 500 at 5; at 12 Rényi's of order 2 is 0, total variation 0.5. A Hellinger distance,
#        at most 1, is 1.2 at 5. 1.8.0, for Python 3.12, does the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    divergence==1.1.0 cubature==0.18.8 numba==0.68.1 numpy==2.3.5 scipy==1.17.1 statsmodels==0.15.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from divergence import relative_entropy_from_samples as kullback_leibler
from divergence.f_divergences import chi_squared_divergence, squared_hellinger_distance, total_variation_distance
from divergence.renyi import renyi_divergence

draws = np.random.default_rng(1)
first = draws.normal(0, 1, 2000)
seen = {}
for distance in (2, 5, 8, 12):
    second = draws.normal(distance, 1, 2000)
    seen[distance] = {
        "KL": kullback_leibler(first, second) if distance < 12 else np.nan,
        "Renyi 2": renyi_divergence(first, second, alpha=2),
        "chi2": chi_squared_divergence(first, second),
        "total variation": total_variation_distance(first, second),
        "Hellinger": squared_hellinger_distance(first, second),
    }
    print("distance", distance, {name: round(float(value), 3) for name, value in seen[distance].items()})
    print("  right: KL", distance**2 / 2, "Renyi 2", distance**2, "total variation and Hellinger at most 1")
assert 1.5 < seen[2]["KL"] < 2.5
assert seen[8]["KL"] < -1, "the behaviour has changed"
assert seen[5]["chi2"] > 100 and seen[8]["chi2"] < 0.1 and seen[12]["chi2"] == 0, "the behaviour has changed"
assert seen[8]["Renyi 2"] < 0 and seen[12]["Renyi 2"] == 0, "the behaviour has changed"
assert abs(seen[12]["total variation"] - 0.5) < 0.01 and seen[5]["Hellinger"] > 1.1, "the behaviour has changed"
PYTHON
