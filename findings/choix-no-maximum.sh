#!/usr/bin/env bash
# choix 0.4.1 (Python): opt_pairwise rates players where no rating exists.
#
# Guess: if one player won every game, Bradley-Terry's likelihood has no maximum, and every function
#        says so.
# Seen:  opt_pairwise returns finite numbers without a word, and larger ones if every game is listed
#        ten times; lsr_pairwise and ilsr_pairwise raise a ValueError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check choix==0.4.1 numpy==2.2.6 scipy==1.15.3
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import choix

games = [(0, 1), (0, 1), (1, 2)]  # winner, loser: 0 never lost, 2 never won
once, ten_times = choix.opt_pairwise(3, games), choix.opt_pairwise(3, games * 10)
print("opt_pairwise of three games, and of each ten times:", once, ten_times)
assert 10 < once[0] < ten_times[0] - 1 < 20, "the behaviour has changed"
for rate in (choix.lsr_pairwise, choix.ilsr_pairwise):
    try:
        rate(3, games)
    except ValueError as error:
        print(rate.__name__, "raises:", error)
    else:
        raise AssertionError("the behaviour has changed")
PYTHON
