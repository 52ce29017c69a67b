#!/usr/bin/env bash
# nltk 3.10.4: a smoothed language model writes seen n-grams only.
#
# Guess: generate draws words by the probabilities that score gives.
# Seen:  words that never followed the context are left out, however likely score calls them: Laplace gives
#        `</s>` 17 % behind "mat" and draws it always. Smoothing changes only the odds among seen words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4
"$folder/venv/bin/python" - <<'PYTHON'
from collections import Counter

from nltk.lm import KneserNeyInterpolated, Laplace, WittenBellInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline

TEXTS = ["the cat sat on the mat", "the dog sat on the cat", "a cat saw the dog"]
for kind, expected in ((Laplace, 0.167), (WittenBellInterpolated, 0.565), (KneserNeyInterpolated, 0.92)):
    grams, words = padded_everygram_pipeline(2, [text.split() for text in TEXTS])
    model = kind(order=2)
    model.fit(grams, words)
    chance = model.score("</s>", ["mat"])
    others = sum(model.score(word, ["mat"]) for word in model.vocab if word != "</s>")
    drawn = Counter(model.generate(1, text_seed=["mat"], random_seed=seed) for seed in range(1000))
    print(kind.__name__, "the end:", round(chance, 3), "other words:", round(others, 3), "drawn:", dict(drawn))
    assert abs(chance - expected) < 1e-3 and abs(chance + others - 1) < 1e-9, "the behaviour has changed"
    assert drawn == {"</s>": 1000}, "the behaviour has changed"
PYTHON
