#!/usr/bin/env bash
# trueskill 0.4.5: where draws can't happen, each draw makes both ratings less sure.
#
# Guess: draw_probability=0 refuses a draw; any game, whatever came out, makes equal ratings surer.
# Seen:  the draw is taken, and sigma rises from 8.3 to 9.6, after 20 draws to 32. With a probability of
#        0.000001 a draw lowers it to 6.3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trueskill==0.4.5 six==1.17.0
"$folder/venv/bin/python" - <<'PYTHON'
from trueskill import Rating, TrueSkill

seen = {}
for probability in (0, 0.000001, 0.1):
    game, pair, sigmas = TrueSkill(draw_probability=probability), (Rating(), Rating()), []
    for _ in range(20):
        pair = game.rate_1vs1(*pair, drawn=True)
        sigmas.append(round(pair[0].sigma, 1))
    seen[probability] = sigmas
    print("draws with a probability of", probability, "sigma after 1 to 20 of them:", sigmas)
assert seen[0] == sorted(seen[0]) and seen[0][0] == 9.6 and seen[0][-1] > 30, "the behaviour has changed"
assert seen[0.1][0] == 6.5 and seen[0.1][-1] < 4, "the behaviour has changed"
assert seen[0.000001][0] == 6.3, "the behaviour has changed"
PYTHON
