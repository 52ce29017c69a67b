#!/usr/bin/env bash
# evalica 0.4.2 (Python): newman rates two models equal though one won three of four games.
#
# Guess: without ties newman gives the odds that Bradley-Terry gives, 3 to 1, as its paper says.
# Seen:  both get 1.0 after all rounds, without a warning. One tie more, or a third model, and the
#        ratings are 3 to 1, or those of Bradley-Terry.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check evalica==0.4.2 numpy==2.3.5 pandas==2.3.3
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import evalica
from evalica import Winner

X, Y = Winner.X, Winner.Y
games = (["a"] * 4, ["b"] * 4, [X, X, X, Y])
plain, newman = evalica.bradley_terry(*games), evalica.newman(*games, limit=10_000)
tied = evalica.newman(["a"] * 5, ["b"] * 5, [X, X, X, Y, Winner.Draw])
odds = [round(result.scores["a"] / result.scores["b"], 3) for result in (plain, newman, tied)]
print("odds of 3 wins to 1: Bradley-Terry, newman, newman with a tie:", odds, "rounds:", newman.iterations)
assert odds == [3, 1, odds[2]] and odds[2] > 2.5 and newman.iterations == 10_000, "the behaviour has changed"
three = (["a"] * 4 + ["b"] * 4 + ["a"] * 4, ["b"] * 4 + ["c"] * 8, [X, X, X, Y] * 3)
a, b = evalica.bradley_terry(*three).scores, evalica.newman(*three).scores
print("three models:", a.round(3).to_dict(), b.round(3).to_dict())
assert (a - b).abs().max() < 1e-3, "the behaviour has changed"
PYTHON
