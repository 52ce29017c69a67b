#!/usr/bin/env bash
# rbo 0.1.3: the rank-biased overlap of a list with itself is far below 1.
#
# Guess: equal lists have 1, whatever p is.
# Seen:  with p = 0.9 three equal words have 0.271 and ten 0.651, as the places behind the end count as unlike.
#        So short lists of tokens score low whatever they hold. rbo_ext of equal lists is 1, and so it is with p = 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    rbo==0.1.3 numpy==1.26.4
"$folder/venv/bin/python" - <<'PYTHON'
from rbo import RankingSimilarity

for length in (1, 3, 10):
    words = [f"w{place}" for place in range(length)]
    pair = RankingSimilarity(words, words)
    seen = [round(float(score), 3) for score in (pair.rbo(p=0.9), pair.rbo(p=1.0), pair.rbo_ext(p=0.9))]
    print(length, "equal words: p = 0.9:", seen[0], "p = 1:", seen[1], "extrapolated:", seen[2])
    assert seen == [round(1 - 0.9**length, 3), 1, 1], "the behaviour has changed"
PYTHON
