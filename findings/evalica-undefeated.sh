#!/usr/bin/env bash
# evalica 0.4.2 (Python): where one model won all its games, Bradley-Terry rates all models equal.
#
# Guess: the undefeated model's rating grows without end, or an error says that there is no maximum.
# Seen:  all get 0.000001 after two rounds, in silence: the one that beat all and the one that lost to
#        all. Counting orders them; one game lost by the first, and Bradley-Terry does as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check evalica==0.4.2 numpy==2.3.5 pandas==2.3.3
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import evalica
from evalica import Winner

games = (["a", "a", "b"], ["b", "c", "c"], [Winner.X] * 3)  # a beats b and c, b beats c
lost = (games[0] + ["a"], games[1] + ["c"], games[2] + [Winner.Y])  # and c beats a once
for solver in ("pyo3", "naive"):
    rated = evalica.bradley_terry(*games, solver=solver)
    counted = evalica.counting(*games, solver=solver).scores
    after = evalica.bradley_terry(*lost, solver=solver).scores
    print(solver, rated.scores.to_dict(), "rounds:", rated.iterations, "counted:", counted.to_dict())
    print("after one game lost:", after.round(3).to_dict())
    assert set(rated.scores) == {1e-6} and rated.iterations == 2, "the behaviour has changed"
    assert counted["a"] > counted["b"] > counted["c"], "the behaviour has changed"
    assert after["a"] > after["b"] > after["c"], "the behaviour has changed"
PYTHON
