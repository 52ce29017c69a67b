#!/usr/bin/env bash
# openskill 6.2.0: the chances of a win, a draw and a loss add up to more than 1.
#
# Guess: predict_win and predict_draw of one game are chances of things of which one happens.
# Seen:  two new players win with 0.5 each and draw with 0.24; two equal ones that are well known draw with 0.49.
#        The wins alone add up to 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    openskill==6.2.0
"$folder/venv/bin/python" - <<'PYTHON'
from openskill.models import PlackettLuce

model = PlackettLuce()
seen = {}
for name, settings in (("new", {}), ("well known", {"mu": 25, "sigma": 1})):
    first, second = [model.rating(**settings)], [model.rating(**settings)]
    wins, draw = model.predict_win([first, second]), model.predict_draw([first, second])
    seen[name] = sum(wins), draw
    print(name, "wins:", [round(win, 3) for win in wins], "draw:", round(draw, 3), "sum:", round(sum(wins) + draw, 3))
    assert abs(sum(wins) - 1) < 1e-9, "the behaviour has changed"
assert abs(seen["new"][1] - 0.237) < 1e-3, "the behaviour has changed"
assert abs(seen["well known"][1] - 0.488) < 1e-3, "the behaviour has changed"
PYTHON
