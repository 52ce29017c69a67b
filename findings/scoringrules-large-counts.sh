#!/usr/bin/env bash
# scoringrules 0.10.0: a forecast of a large count has the best score there is, minus infinity.
#
# Guess: the log score of 600 right answers in 2,000 at a chance of 0.3 is -ln 0.0195 = 3.94.
# Seen:  minus infinity, so for a Poisson of 150 too, while 3 of 10 and 120 of 200 are right. The CRPS of both is NaN.
#        A normal's log score at 50 deviations is infinite instead of 1,251.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    scoringrules==0.10.0 numpy==2.3.5 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import scipy.stats
import scoringrules

binomial, poisson = scipy.stats.binom, scipy.stats.poisson
cases = [
    ("binomial", (3, 10, 0.3), binomial(10, 0.3).logpmf(3), 1.3212),
    ("binomial", (120, 200, 0.8), binomial(200, 0.8).logpmf(120), 23.7858),
    ("binomial", (600, 2000, 0.3), binomial(2000, 0.3).logpmf(600), -math.inf),
    ("poisson", (15, 15.0), poisson(15).logpmf(15), 2.2784),
    ("poisson", (150, 150.0), poisson(150).logpmf(150), -math.inf),
    ("normal", (5.0, 0.0, 1.0), scipy.stats.norm.logpdf(5), 13.4189),
    ("normal", (50.0, 0.0, 1.0), scipy.stats.norm.logpdf(50), math.inf),
]
for name, arguments, right, expected in cases:
    seen = float(getattr(scoringrules, f"logs_{name}")(*arguments))
    print("log score", name, arguments, "seen:", round(seen, 4), "right:", round(-float(right), 4))
    assert seen == expected or abs(seen - expected) < 1e-3, "the behaviour has changed"
    assert (abs(seen + right) < 1e-3) == math.isfinite(seen)
for name, arguments in (("binomial", (600, 2000, 0.3)), ("poisson", (200, 200.0))):
    seen = float(getattr(scoringrules, f"crps_{name}")(*arguments))
    print("CRPS", name, arguments, "seen:", seen)
    assert math.isnan(seen), "the behaviour has changed"
PYTHON
