#!/usr/bin/env bash
# statsmodels 0.15.0: two models that answer alike everywhere differ with a p-value of 0.
#
# Guess: where no question is answered by one model alone, McNemar's test finds no difference (p = 1), or
#        gives NaN.
# Seen:  without exact=True the p-value is 0, the surest difference there is; with one such question each
#        way it is 0.48. exact=True gives 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from statsmodels.stats.contingency_tables import mcnemar

seen = {}
for alone in (0, 1, 5):
    table = [[60, alone], [alone, 40]]
    for options in ({"exact": True}, {"exact": False}, {"exact": False, "correction": False}):
        seen[alone, tuple(options.values())] = p = float(mcnemar(table, **options).pvalue)
        print("right by one model alone:", alone, "and", alone, options, "p:", p)
assert seen[0, (True,)] == 1 and seen[0, (False,)] == 0, "the behaviour has changed"
assert round(seen[1, (False,)], 2) == 0.48 and seen[5, (True,)] == 1, "the behaviour has changed"
PYTHON
