#!/usr/bin/env bash
# openvino-genai 2026.4.1: equal prompts in one batch are drawn the same text.
#
# Guess: the rows of a batch are drawn apart, as num_return_sequences draws are, whatever the seed.
# Seen:  five rows of one prompt get one text, at every seed; five sequences of one row differ.
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

with tempfile.TemporaryDirectory() as folder:
    pipe = pipeline(folder, np.zeros(8, np.float32))
    for seed in (0, 1, 2):
        rows = texts(pipe, rows=5, rng_seed=seed)
        sequences = texts(pipe, num_return_sequences=5, rng_seed=seed)
        print("seed", seed, "five rows:", rows, "five sequences:", sequences)
        assert all(row == rows[0] for row in rows), "the behaviour has changed"
        assert len({tuple(row) for row in sequences}) == 5, "the behaviour has changed"
PYTHON
