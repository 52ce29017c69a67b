#!/usr/bin/env bash
# evalica 0.4.2 (Python): eigen puts the weakest model first.
#
# Guess: eigen ranks as counting and Bradley-Terry do where they agree, as every score there is sorted
#        from the best to the worst.
# Seen:  a model that lost three of four games to each other one comes first, with both solvers. Of
#        two models at three to one the worse leads after 99 rounds, and after 100 they are equal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check evalica==0.4.2 numpy==2.3.5 pandas==2.3.3
"$folder/venv/bin/python" - <<'PYTHON'
import evalica
from evalica import Winner

won = [Winner.X] * 3 + [Winner.Y]  # the first of a pair wins three of four games
pairs = [("best", "middle"), ("middle", "worst"), ("best", "worst")]
xs, ys = [x for x, _ in pairs for _ in won], [y for _, y in pairs for _ in won]
for solver in ("pyo3", "naive"):
    ranks = {}
    for name in ("counting", "bradley_terry", "eigen"):
        scores = getattr(evalica, name)(xs, ys, won * 3, solver=solver).scores
        ranks[name] = list(scores.index)
        print(solver, name, scores.round(3).to_dict())
    assert ranks["counting"] == ranks["bradley_terry"] == ["best", "middle", "worst"], "the behaviour has changed"
    assert ranks["eigen"] == ["worst", "middle", "best"], "the behaviour has changed"
two = [evalica.eigen(["best"] * 4, ["worst"] * 4, won, limit=limit).scores.round(3) for limit in (99, 100)]
print("two models after 99 and 100 rounds:", [scores.to_dict() for scores in two])
assert two[0]["worst"] > 2 * two[0]["best"] and two[1]["worst"] == two[1]["best"], "the behaviour has changed"
PYTHON
