#!/usr/bin/env bash
# nltk 3.10.4: smoothed language models call a text with one new word impossible.
#
# Guess: Kneser-Ney, Witten-Bell and absolute discounting keep some probability for a word that wasn't in the
#        texts, as the vocabulary has `<UNK>` for it. So a text's perplexity is finite.
# Seen:  it is infinite: the distribution that they fall back on is the plain share of each word, 0 for
#        `<UNK>`. Laplace and Lidstone are finite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4
"$folder/venv/bin/python" - <<'PYTHON'
import math

from nltk import lm
from nltk.lm.preprocessing import pad_both_ends, padded_everygram_pipeline
from nltk.util import ngrams

TEXTS = ["the cat sat on the mat", "the dog sat on the cat", "a cat saw the dog"]
INFINITE = [lm.KneserNeyInterpolated, lm.WittenBellInterpolated, lm.AbsoluteDiscountingInterpolated]
for kind in (*INFINITE, lm.Laplace):
    grams, words = padded_everygram_pipeline(2, [text.split() for text in TEXTS])
    model = kind(order=2)
    model.fit(grams, words)
    seen = []
    for text in ("the cat sat", "the zebra sat"):
        seen.append(model.perplexity(list(ngrams(pad_both_ends(text.split(), 2), 2))))
    total = sum(model.score(word, ["the"]) for word in model.vocab)
    print(kind.__name__, "perplexity without and with a new word:", seen, "of <UNK>:", model.score("zebra", ["the"]))
    assert abs(total - 1) < 1e-9 and math.isfinite(seen[0]), "the behaviour has changed"
    assert math.isinf(seen[1]) == (kind in INFINITE), "the behaviour has changed"
PYTHON
