#!/usr/bin/env bash
# rouge 1.0.1 (Python): repeated words count once, and sentences may come in any order.
#
# Guess: ROUGE clips counts: of "the" seven times one fits "the cat", a precision of 1/7. ROUGE-L sees
#        the order of words.
# Seen:  the precision is 1, as sets of words are compared. ROUGE-L of sentences turned around is 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rouge==1.0.1 rouge-score==0.1.2
"$folder/venv/bin/python" - <<'PYTHON'
from rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer

other = RougeScorer(["rouge1", "rougeLsum"])
repeated, reference = "the the the the the the the", "the cat"
seen = Rouge().get_scores(repeated, reference)[0]["rouge-1"]["p"]
clipped = other.score(reference, repeated)["rouge1"].precision
print("precision of seven times one word: rouge", seen, "rouge-score", clipped)
assert seen == 1 and abs(clipped - 1 / 7) < 1e-9, "the behaviour has changed"

turned, order = "Rain fell. Then wind rose.", "Then wind rose. Rain fell."
seen = Rouge().get_scores(turned, order)[0]["rouge-l"]["f"]
print("ROUGE-L of two sentences turned around:", seen)
assert seen > 0.99, "the behaviour has changed"

doubled = Rouge().get_scores("a cat sat " * 50, "a cat sat")[0]["rouge-1"]["f"]
print("ROUGE-1 F of a text said fifty times:", doubled)
assert doubled > 0.99, "the behaviour has changed"
PYTHON
