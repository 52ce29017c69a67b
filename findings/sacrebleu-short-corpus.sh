#!/usr/bin/env bash
# sacrebleu 2.6.0: a corpus of equal short texts scores 0, each of its sentences 100.
#
# Guess: hypotheses that equal their references score 100, whatever their length.
# Seen:  without four words in a row corpus_bleu is 0; sentence_bleu leaves out the orders that are too long.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sacrebleu==2.6.0
"$folder/venv/bin/python" - <<'PYTHON'
import sacrebleu

short, long = ["good morning", "thank you"], ["good morning to you all"]
seen = {
    "sentence": [round(sacrebleu.sentence_bleu(text, [text]).score, 6) for text in short],
    "corpus": round(sacrebleu.corpus_bleu(short, [short]).score, 6),
    "corpus with a long one": round(sacrebleu.corpus_bleu(short + long, [short + long]).score, 6),
}
print("hypotheses equal to their references:", seen)
assert seen == {"sentence": [100, 100], "corpus": 0, "corpus with a long one": 100}, "the behaviour has changed"
PYTHON
