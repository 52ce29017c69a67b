#!/usr/bin/env bash
# tinygrad 0.14.0: a label outside of the vocabulary has no loss.
#
# Guess: a label of 5 where there are three tokens is an error, or its loss NaN or infinite.
# Seen:  its loss is 0, better than any token of the vocabulary has, and a mean over labels counts it as a
#        perfect answer. So it is with 3, the first id that there isn't.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    tinygrad==0.14.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ["DEV"] = "PYTHON"
from tinygrad import Tensor

logits = Tensor([[1.0, 2.0, 3.0]])
seen = {}
for label in (0, 1, 2, 3, 5):
    seen[label] = abs(logits.sparse_categorical_crossentropy(Tensor([label])).item())
    print("label", label, "loss", round(seen[label], 4))
pair = Tensor([[1.0, 2.0, 3.0]] * 2).sparse_categorical_crossentropy(Tensor([2, 5])).item()
print("mean of labels 2 and 5:", round(pair, 4))
assert abs(seen[2] - 0.4076) < 1e-3 and abs(seen[0] - 2.4076) < 1e-3, "the behaviour has changed"
assert seen[3] == seen[5] == 0, "the behaviour has changed"
assert abs(pair - seen[2] / 2) < 1e-3, "the behaviour has changed"
PYTHON
