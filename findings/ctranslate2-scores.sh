#!/usr/bin/env bash
# ctranslate2 4.8.5: a text's score takes notice of some settings and not of others.
#
# Guess: scores are the model's own log-probabilities, as the temperature doesn't change them.
# Seen:  tokens that may not come, by `suppress_sequences`, `disable_unk` or `min_length`, are taken
#        out first and the rest adds up to 1, so the same greedy text has -1.20 or -1.19, and one of
#        a token of 0.2 the score of 0.286. A repetition penalty counts too. Temperature and top-k
#        don't.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ctranslate2==4.8.5 numpy==2.3.5
PYTHONPATH="$here" "$folder/venv/bin/python" -B - <<'PYTHON'
import tempfile

import ctranslate2
import numpy as np
from tiny_ctranslate2 import PROBABILITIES, write

FIXED = {"end_token": [], "include_prompt_in_result": False, "return_scores": True}

with tempfile.TemporaryDirectory() as folder:
    write(folder)
    generator = ctranslate2.Generator(folder, "cpu")
    for settings, by_model in (
        ({}, True),
        ({"sampling_topk": 3, "sampling_temperature": 0.5}, True),
        ({"disable_unk": True}, False),
        ({"suppress_sequences": [["t0"]]}, False),
        ({"end_token": "t0", "min_length": 6}, False),
        ({"repetition_penalty": 2}, False),
    ):
        result = generator.generate_batch([["t5"]], max_length=6, **{**FIXED, **settings})[0]
        tokens, score = result.sequences[0], result.scores[0]
        own = np.mean([np.log(PROBABILITIES[int(token[1:])]) for token in tokens])
        print(settings, tokens, "score:", round(score, 3), "by the model:", round(own, 3))
        assert (abs(score - own) < 2e-3) == by_model, "the behaviour has changed"
        if "suppress_sequences" in settings:
            assert abs(score - np.log(0.2 / 0.7)) < 1e-3, "the behaviour has changed"
PYTHON
