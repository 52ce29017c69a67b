#!/usr/bin/env bash
# nltk 3.10.4: chrF of a short text against itself is far below 1.
#
# Guess: a hypothesis equal to its reference has a chrF of 1, whatever its length.
# Seen:  orders that a text is too short for count as 0: "hi" scores 1/3, "yes" 1/2, six letters 1.
#        sacrebleu 2.6.0 gives each 100.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4 sacrebleu==2.6.0
"$folder/venv/bin/python" - <<'PYTHON'
import sacrebleu
from nltk.translate.chrf_score import sentence_chrf

seen = {}
for text in ("hi", "yes", "summer"):
    seen[text] = (round(sentence_chrf(text, text), 4), sacrebleu.sentence_chrf(text, [text]).score)
    print(repr(text), "against itself: nltk, sacrebleu:", seen[text])
assert seen == {"hi": (0.3333, 100), "yes": (0.5, 100), "summer": (1, 100)}, "the behaviour has changed"
PYTHON
