"""Writes crates/kernels/tests/goldens/dequantize.txt: what the PyPI package gguf 0.19 makes of
blocks of each format, as hashes.

The blocks are 256 of random bytes (xorshift64*, seeded with ggml's number of the format plus one),
then one for each of PATTERNS, repeated: infinite, NaN, zero and extreme factors. The test
`tests/dequantize.rs` makes the same bytes. A line is a format's name, the hash over the bits of all
numbers, and the bits of the first eight. The hash is FNV-1a over 32-bit words; any NaN counts as
0x7fc00000.

gguf 0.19 has neither Q1_0 nor Q2_0: their two lines follow dequantize_row_q1_0 and
dequantize_row_q2_0 of llama.cpp's ggml-quants.c.

    python crates/kernels/tests/python/dequantize.py
"""

import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

OUT = pathlib.Path(__file__).parents[1] / "goldens" / "dequantize.txt"
MASK = (1 << 64) - 1
PATTERNS = [
    "0000000000000000",
    "7f7f7f7f7f7f7f7f",
    "8080808080808080",
    "ffffffffffffffff",
    "007c007c007c007c",
    "00fc00fc00fc00fc",
    "0100010001000100",
    "0080008000800080",
    "ff7bff7bff7bff7b",
    "0000000000c00070",
    "fe00017f80ff027e",
]
NAMES = (
    "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4 NVFP4 "
    "Q1_0 Q2_0 TQ1_0 TQ2_0 IQ3_S IQ3_XXS IQ2_S IQ2_XS IQ2_XXS IQ1_S IQ1_M"
).split()


def random_bytes(seed, n):
    out = bytearray()
    while len(out) < n:
        seed ^= seed >> 12
        seed = (seed ^ (seed << 25)) & MASK
        seed ^= seed >> 27
        out += (seed * 0x2545F4914F6CDD1D & MASK).to_bytes(8, "little")
    return bytes(out[:n])


def half(blocks):
    return blocks[:, :2].copy().view("<f2").astype(np.float32)


def q1_0(blocks):
    bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little")
    return np.where(bits == 1, half(blocks), -half(blocks))


def q2_0(blocks):
    codes = (blocks[:, 2:, None] >> np.array([0, 2, 4, 6], dtype=np.uint8)) & 3
    return (codes.reshape(len(blocks), -1).astype(np.float32) - 1) * half(blocks)


def dequantize(name, blocks):
    if name == "Q1_0":
        return q1_0(blocks)
    if name == "Q2_0":
        return q2_0(blocks)
    return quants.dequantize(blocks, GGMLQuantizationType[name])


def line(name):
    # Q2_0 is 42 and has 64 weights in 18 bytes; gguf 0.19 doesn't know it.
    number = 42 if name == "Q2_0" else int(GGMLQuantizationType[name])
    size = 18 if name == "Q2_0" else GGML_QUANT_SIZES[GGMLQuantizationType[name]][1]
    data = random_bytes(number + 1, 256 * size)
    for pattern in PATTERNS:
        data += (bytes.fromhex(pattern) * 40)[:size]
    blocks = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    with np.errstate(all="ignore"):
        values = dequantize(name, blocks).astype(np.float32).ravel()
    bits = np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32))
    hash = 0xCBF29CE484222325
    for word in bits.tolist():
        hash = (hash ^ word) * 0x100000001B3 & MASK
    return f"{name} {hash:016x} " + " ".join(f"{word:08x}" for word in bits[:8].tolist())


OUT.write_text("".join(line(name) + "\n" for name in NAMES))
