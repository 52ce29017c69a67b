#!/usr/bin/env bash
# statsmodels 0.15.0: one undefined p-value undoes a whole correction, or counts as a test.
#
# Guess: a comparison whose p-value is NaN (a task without a single answer) is left out by every method of
#        multipletests, as scipy's false_discovery_control refuses it.
# Seen:  Benjamini-Hochberg makes every corrected value NaN; Holm and Bonferroni correct the others as
#        though the NaN was a test that failed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

found = [0.001, 0.02, 0.03]
seen = {}
for method in ("holm", "bonferroni", "fdr_bh"):
    for values in (found, found + [math.nan]):
        seen[method, len(values)] = [round(float(p), 4) for p in multipletests(values, method=method)[1]]
        print(method, values, "seen:", seen[method, len(values)])
assert seen["holm", 3] == [0.003, 0.04, 0.04], "the behaviour has changed"
assert seen["holm", 4][:3] == [0.004, 0.06, 0.06], "the behaviour has changed"
assert seen["bonferroni", 4][:3] == [0.004, 0.08, 0.12], "the behaviour has changed"
assert seen["fdr_bh", 3] == [0.003, 0.03, 0.03], "the behaviour has changed"
assert all(math.isnan(p) for p in seen["fdr_bh", 4]), "the behaviour has changed"
try:
    false_discovery_control(found + [math.nan])
    raise SystemExit("scipy has changed")
except ValueError as error:
    print("scipy:", error)
PYTHON
