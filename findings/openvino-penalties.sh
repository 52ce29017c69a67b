#!/usr/bin/env bash
# openvino-genai 2026.4.1: presence and frequency penalties reward repetition where logits are negative.
#
# Guess: both penalties lower the logit of a token that came; so 10 added to all logits, which changes
#        no probability, changes no text.
# Seen:  they raise a negative logit: with a presence penalty of 1 the best of eight tokens comes six
#        times in a row; with 10 added to the logits it comes once, then the others.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    openvino-genai==2026.4.1.0 openvino==2026.4.1 openvino-tokenizers==2026.4.1.0 numpy==2.3.5
PYTHONPATH="$here" "$folder/venv/bin/python" -B - <<'PYTHON'
import tempfile

import numpy as np
from tiny_openvino import pipeline, texts

LOGITS = np.array([-1.0, -1.2, -1.4, -1.6, -1.8, -2.0, -2.2, -2.4], np.float32)

seen = {}
for added in (0, 10):
    with tempfile.TemporaryDirectory() as folder:
        pipe = pipeline(folder, LOGITS + added)
        for name in ("presence_penalty", "frequency_penalty"):
            seen[added, name] = texts(pipe, top_k=1, **{name: 1.0})[0]
            print("logits with", added, "added,", name, "1:", seen[added, name])
for name in ("presence_penalty", "frequency_penalty"):
    assert seen[0, name] == [0] * 6, "the behaviour has changed"
    assert seen[10, name] == [0, 1, 2, 3, 4, 0], "the behaviour has changed"
PYTHON
