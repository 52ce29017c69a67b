#!/usr/bin/env bash
# glicko2 2.1.0: a model's volatility depends on where the ratings' zero lies.
#
# Guess: 20 wins over equal models change the volatility alike at 1500 and at 2500, as Glickman's formula has
#        differences of ratings alone.
# Seen:  0.06127 at 1500 and 0.0599996 at 2500, for 0.06062 by the formula: the rating's square stands where the
#        deviation's belongs. Glickman's own example, at 1500, comes out right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check glicko2==2.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import math

import glicko2

SCALE, TAU = 173.7178, 0.5


def right(rating, deviation, volatility, others, deviations, outcomes):
    """The volatility of Glickman's paper, by bisection."""
    mu, phi = (rating - 1500) / SCALE, deviation / SCALE
    damp = [1 / math.sqrt(1 + 3 * (other / SCALE / math.pi) ** 2) for other in deviations]
    chance = [1 / (1 + math.exp(-g * (mu - (other - 1500) / SCALE))) for g, other in zip(damp, others)]
    variance = 1 / sum(g * g * e * (1 - e) for g, e in zip(damp, chance))
    delta = variance * sum(g * (outcome - e) for g, e, outcome in zip(damp, chance, outcomes))
    start = math.log(volatility**2)
    low, high = start - 10, start + 10
    for _ in range(200):
        x = (low + high) / 2
        power, sum_ = math.exp(x), phi**2 + variance + math.exp(x)
        slope = power * (delta**2 - sum_) / (2 * sum_**2) - (x - start) / TAU**2
        low, high = (x, high) if slope > 0 else (low, x)
    return math.exp(low / 2)


example = glicko2.Player(1500, 200, 0.06)
example.update_player([1400, 1550, 1700], [30, 100, 300], [1, 0, 0])
print("Glickman's example:", round(example.rating, 2), round(example.rd, 2), round(example.vol, 5))
assert abs(example.rating - 1464.06) < 0.02 and abs(example.vol - 0.05999) < 1e-5
for base, changed in ((1500, 0.06127), (2500, 0.05999965)):
    games = [base] * 20, [50] * 20, [1] * 20
    player = glicko2.Player(base, 50, 0.06)
    player.update_player(*games)
    good = right(base, 50, 0.06, *games)
    print("20 wins at", base, "volatility:", round(player.vol, 7), "by the formula:", round(good, 7))
    assert abs(good - 0.0606207) < 1e-6
    assert abs(player.vol - changed) < 1e-6, "the behaviour has changed"
PYTHON
