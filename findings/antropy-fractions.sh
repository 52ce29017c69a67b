#!/usr/bin/env bash
# antropy 0.2.3: any 1,000 numbers between 0 and 1 have a Lempel-Ziv complexity of 2.
#
# Guess: numbers that aren't whole are symbols of their own, or refused.
# Seen:  they're cut to whole numbers in silence, so probabilities are all 0 and 0.9 equals 0.1: random ones have
#        the complexity of a constant, 2. As text, or times 1,000, they have hundreds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    antropy==0.2.3 numpy==2.3.5 scipy==1.17.1 scikit-learn==1.8.0
"$folder/venv/bin/python" - <<'PYTHON'
import antropy
import numpy as np

chances = np.random.default_rng(1).random(1000)
steps = (chances * 1000).astype(int)
seen = [antropy.lziv_complexity(data) for data in (np.zeros(1000), chances, steps)]
print("complexity of zeros, of random probabilities, of the same times 1,000:", *seen)
assert seen[:2] == [2, 2], "the behaviour has changed"
assert seen[2] > 200
few = [antropy.lziv_complexity([0.1, 0.9, 0.4, 0.7]), antropy.lziv_complexity("1947")]
print("0.1, 0.9, 0.4, 0.7 as numbers and as the text 1947:", *few)
assert few == [2, 4], "the behaviour has changed"
PYTHON
