#!/usr/bin/env bash
# rouge-metric 1.0.1 (Python): equal texts of one word have a ROUGE-SU of 0.
#
# Guess: a text equal to its reference scores 1 in every ROUGE; SU counts words so that texts without
#        a pair aren't 0.
# Seen:  for one word SU4 is 0 beside a ROUGE-1 of 1. ROUGE-W's recall of equal texts falls with their
#        length: 0.80 for three words, 0.67 for eight.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rouge-metric==1.0.1
"$folder/venv/bin/python" - <<'PYTHON'
from rouge_metric import PyRouge

rouge = PyRouge(rouge_n=(1,), rouge_l=False, rouge_w=True, rouge_w_weight=1.2, rouge_s=False, rouge_su=True, skip_gap=4)
seen = {}
for text in ("hello", "one two three", "one two three four five six seven eight"):
    scores = rouge.evaluate([text], [[text]])
    seen[len(text.split())] = {name: round(score["r"], 2) for name, score in scores.items()}
    print(repr(text), "recall against itself:", seen[len(text.split())])
assert seen[1]["rouge-1"] == 1 and seen[1]["rouge-su4"] == 0, "the behaviour has changed"
assert seen[3]["rouge-su4"] == 1 and seen[3]["rouge-w-1.2"] == 0.8, "the behaviour has changed"
assert seen[8]["rouge-w-1.2"] < 0.7, "the behaviour has changed"
PYTHON
