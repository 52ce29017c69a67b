"""A tiny CTranslate2 decoder of known probabilities: for the ctranslate2 scripts here."""

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
