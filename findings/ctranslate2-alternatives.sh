#!/usr/bin/env bash
# ctranslate2 4.8.5: with return_alternatives a text's score is another one than without.
#
# Guess: the best alternative is the text that greedy decoding gives, with the same score.
# Seen:  it is the same text with the score of one token added: the first token's log-probability plus
#        the mean of the others', where the plain score is the mean of all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ctranslate2==4.8.5 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import os
import tempfile

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerDecoderModelSpec

PROBABILITIES = np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.05] + [0.012] * 10)
SIZE = WIDTH = len(PROBABILITIES)


def write(folder):
    """A decoder of one layer that gives every next token these probabilities."""
    spec = TransformerDecoderModelSpec.from_config(1, 1, pre_norm=True)
    decoder, layer = spec.decoder, spec.decoder.layer[0]
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    square = np.zeros((WIDTH, WIDTH), np.float32)
    decoder.embeddings.weight = np.ones((SIZE, WIDTH), np.float32)
    decoder.scale_embeddings = False
    decoder.position_encodings.encodings = np.zeros((64, WIDTH), np.float32)
    decoder.layer_norm.gamma, decoder.layer_norm.beta = zeros, ones
    logits = np.log(PROBABILITIES)[:, None] / WIDTH
    decoder.projection.weight = np.repeat(logits, WIDTH, axis=1).astype(np.float32)
    for norm in (layer.self_attention.layer_norm, layer.ffn.layer_norm):
        norm.gamma, norm.beta = ones, zeros
    joined, out = layer.self_attention.linear
    joined.weight, joined.bias = np.vstack([square] * 3), np.tile(zeros, 3)
    for linear in (out, layer.ffn.linear_0, layer.ffn.linear_1):
        linear.weight, linear.bias = square, zeros
    spec.register_vocabulary([f"t{i}" for i in range(SIZE - 3)] + ["<unk>", "<s>", "</s>"])
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.validate()
    spec.save(folder)


with tempfile.TemporaryDirectory() as folder:
    write(folder)
    generator = ctranslate2.Generator(folder, "cpu")
    options = {"max_length": 6, "end_token": [], "include_prompt_in_result": False, "return_scores": True}
    plain = generator.generate_batch([["t5"]], **options)[0]
    several = generator.generate_batch([["t5"]], num_hypotheses=3, return_alternatives=True, **options)[0]
print("greedy:      ", plain.sequences[0], plain.scores[0])
for sequence, score in zip(several.sequences, several.scores):
    print("alternatives:", sequence, score)
best, second = np.log(PROBABILITIES[:2])
assert several.sequences[0] == plain.sequences[0] == ["t0"] * 6, "the behaviour has changed"
assert abs(plain.scores[0] - best) < 1e-3, "the behaviour has changed"
assert abs(several.scores[0] - 2 * best) < 1e-3, "the behaviour has changed"
assert abs(several.scores[1] - (second + best)) < 1e-3, "the behaviour has changed"
PYTHON
