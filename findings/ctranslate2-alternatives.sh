#!/usr/bin/env bash
# ctranslate2 4.8.5: with return_alternatives a text's score is another one than without.
#
# Guess: the best alternative is the text that greedy decoding gives, with the same score.
# Seen:  it is the same text with the score of one token added: the first token's log-probability plus
#        the mean of the others', where the plain score is the mean of all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ctranslate2==4.8.5 numpy==2.3.5
PYTHONPATH="$here" "$folder/venv/bin/python" -B - <<'PYTHON'
import tempfile

import ctranslate2
import numpy as np
from tiny_ctranslate2 import PROBABILITIES, write

with tempfile.TemporaryDirectory() as folder:
    write(folder)
    generator = ctranslate2.Generator(folder, "cpu")
    options = {"max_length": 6, "end_token": [], "include_prompt_in_result": False, "return_scores": True}
    plain = generator.generate_batch([["t5"]], **options)[0]
    several = generator.generate_batch([["t5"]], num_hypotheses=3, return_alternatives=True, **options)[0]
print("greedy:      ", plain.sequences[0], plain.scores[0])
for sequence, score in zip(several.sequences, several.scores):
    print("alternatives:", sequence, score)
best, second = np.log(PROBABILITIES[:2])
assert several.sequences[0] == plain.sequences[0] == ["t0"] * 6, "the behaviour has changed"
assert abs(plain.scores[0] - best) < 1e-3, "the behaviour has changed"
assert abs(several.scores[0] - 2 * best) < 1e-3, "the behaviour has changed"
assert abs(several.scores[1] - (second + best)) < 1e-3, "the behaviour has changed"
PYTHON
