#!/usr/bin/env bash
# nltk 3.10.4: smoothed BLEU of equal texts is above 1, or far below.
#
# Guess: smoothing matters where n-grams don't match. Equal texts have 1 by each method.
# Seen:  method5 and method7 give six equal words 1.117. Two equal words have 0.22 by method4 and 0.71 by
#        method2, and one word 1 by method4 and 0.19 by method5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4
"$folder/venv/bin/python" - <<'PYTHON'
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

# By method: equal texts of 1, 2 and 6 words.
EXPECTED = {
    "method1": [0.178, 0.316, 1.0],
    "method2": [0.595, 0.707, 1.0],
    "method4": [1.0, 0.221, 1.0],
    "method5": [0.192, 0.39, 1.117],
    "method7": [0.192, 0.436, 1.117],
}
for name, expected in EXPECTED.items():
    method = getattr(SmoothingFunction(), name)
    texts = (text.split() for text in ("yes", "yes indeed", "the cat sat on the mat"))
    seen = [round(sentence_bleu([text], text, smoothing_function=method), 3) for text in texts]
    print(name, "equal texts of 1, 2 and 6 words:", seen)
    assert all(abs(a - b) < 2e-3 for a, b in zip(seen, expected)), "the behaviour has changed"
PYTHON
