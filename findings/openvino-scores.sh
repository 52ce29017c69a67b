#!/usr/bin/env bash
# openvino-genai 2026.4.1: one text has three scores, by how it was found.
#
# Guess: a text's score is its log-probability, so the likeliest text has the same one whether it was taken
#        greedily, drawn or found by beams.
# Seen:  three tokens of 0.4 have 0 if taken greedily, -2.75, the sum of their logarithms, if logprobs are
#        asked for too, and -0.92, their mean, by two beams. Drawn, the score is of what truncation left: 0
#        again with a top_k of 1.
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
import openvino as ov
import openvino_genai as genai
from tiny_openvino import pipeline

LOGITS = np.log(np.array([0.4, 0.3, 0.1, 0.04, 0.04, 0.04, 0.04, 0.04], np.float32))
CASES = {
    "greedy": {},
    "greedy with logprobs": {"logprobs": 1},
    "drawn": {"do_sample": True, "top_k": 1},
    "beams": {"num_beams": 2},
}
prompt = genai.TokenizedInputs(ov.Tensor(np.full((1, 1), 5, np.int64)), ov.Tensor(np.ones((1, 1), np.int64)))
seen = {}
with tempfile.TemporaryDirectory() as folder:
    pipe = pipeline(folder, LOGITS)
    for name, settings in CASES.items():
        config = genai.GenerationConfig(max_new_tokens=3, ignore_eos=True, **settings)
        result = pipe.generate(prompt, config)
        seen[name] = result.scores[0]
        print(name, "tokens", list(result.tokens[0]), "score", round(seen[name], 3))
        assert list(result.tokens[0]) == [0, 0, 0], "the behaviour has changed"
assert seen["greedy"] == seen["drawn"] == 0, "the behaviour has changed"
total = 3 * float(LOGITS[0] - np.log(np.exp(LOGITS).sum()))
assert abs(seen["greedy with logprobs"] - total) < 1e-3, "the behaviour has changed"
assert abs(seen["beams"] - total / 3) < 1e-3, "the behaviour has changed"
PYTHON
