#!/usr/bin/env bash
# openvino-genai 2026.4.1: no_repeat_ngram_size does nothing where tokens are drawn.
#
# Guess: no_repeat_ngram_size=1 lets no token come twice, as in transformers, or is refused.
# Seen:  validate() takes it, and a text of six tokens repeats them as without it, drawn at a temperature
#        of 1 or with top_k=1.
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
import openvino_genai as genai
from tiny_openvino import pipeline, texts

LOGITS = np.log(np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], np.float32))
genai.GenerationConfig(max_new_tokens=6, do_sample=True, no_repeat_ngram_size=1).validate()
with tempfile.TemporaryDirectory() as folder:
    pipe = pipeline(folder, LOGITS)
    for settings in ({"top_k": 1}, {"rng_seed": 3}):
        plain = texts(pipe, **settings)[0]
        seen = texts(pipe, no_repeat_ngram_size=1, **settings)[0]
        print(settings, "without:", plain, "with no_repeat_ngram_size=1:", seen)
        assert seen == plain and len(set(seen)) < len(seen), "the behaviour has changed"
PYTHON
