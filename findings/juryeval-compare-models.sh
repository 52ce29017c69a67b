#!/usr/bin/env bash
# juryeval 0.5.0: the interval of two models' comparison is that of all their scores together.
#
# Guess: compare_models gives the interval of the difference, or one for each model, and its p-value knows that both
#        answered the same questions, as its win rate does.
# Seen:  a model of 0.9 and one of 0.1 have an interval around 0.5. A model that is better by 0.05 on each of 50
#        questions wins all of them, with a p-value of 0.4, as scores are shuffled between questions; scipy's paired
#        test has 2 in 2^50. The seed is set for the whole program: random numbers behind it repeat.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.5 scipy==1.17.1
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps juryeval==0.5.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import importlib.util
import random
import sys
import types

# The package's own beginning imports torch for other metrics, so its statistics are imported without.
package = types.ModuleType("juryeval")
package.__path__ = importlib.util.find_spec("juryeval").submodule_search_locations
sys.modules["juryeval"] = package
from juryeval.significance.winrate import compare_models
from scipy.stats import wilcoxon

seen = compare_models([0.9] * 50, [0.1] * 50, seed=1)
print("0.9 against 0.1:", seen)
assert 0.4 < seen["ci_lower"] < 0.5 < seen["ci_upper"] < 0.6, "the behaviour has changed"
worse = [question / 50 for question in range(50)]
better = [score + 0.05 for score in worse]
seen = compare_models(better, worse, seed=1)
right = float(wilcoxon(better, worse, method="exact").pvalue)
print("better by 0.05 each time:", seen, "paired p-value:", right)
assert seen["win_rate"] == 1 and right < 1e-6
assert seen["p_value"] > 0.3, "the behaviour has changed"
drawn = []
for _ in range(2):
    compare_models(better, worse, seed=1)
    drawn.append(random.random())
print("random numbers behind two comparisons:", drawn)
assert drawn[0] == drawn[1], "the behaviour has changed"
PYTHON
