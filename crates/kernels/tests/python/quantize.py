"""Writes crates/kernels/tests/goldens/quantize.txt: what other quantizers make of the same numbers.

The numbers are sums of four random bytes (xorshift64*, see `quantize.rs`), about normal, with rows
of different size. A line `Q8_0` has the FNV-1a hash over the bytes that the PyPI package gguf
writes. A line `Q4_K` has the root of the mean squared error of llama.cpp's quantizer (in the PyPI
package xllamacpp, without an importance matrix) over that of the numbers.

    python crates/kernels/tests/python/quantize.py
"""

import ctypes
import pathlib

import numpy as np
import xllamacpp.xllamacpp as llama
from gguf import GGMLQuantizationType, quants

OUT = pathlib.Path(__file__).parents[1] / "goldens" / "quantize.txt"
MASK = (1 << 64) - 1
ROWS, COLS = 64, 1024


def numbers():
    seed, out = 42, bytearray()
    while len(out) < 4 * ROWS * COLS:
        seed ^= seed >> 12
        seed = (seed ^ (seed << 25)) & MASK
        seed ^= seed >> 27
        out += (seed * 0x2545F4914F6CDD1D & MASK).to_bytes(8, "little")
    parts = np.frombuffer(bytes(out), np.uint8).reshape(ROWS, COLS, 4).astype(np.float32)
    scale = np.exp2(-(np.arange(ROWS) % 8 + 4)).astype(np.float32)[:, None]
    # Every fourth row lies to one side of zero.
    side = np.where(np.arange(ROWS) % 4 == 3, 0, 510).astype(np.float32)[:, None]
    return (parts.sum(axis=2) - side) * scale


def fnv(data):
    hash = 0xCBF29CE484222325
    for byte in data:
        hash = (hash ^ byte) * 0x100000001B3 & MASK
    return hash


x = numbers()
q8 = quants.quantize(x, GGMLQuantizationType.Q8_0)
library = ctypes.CDLL(llama.__file__)
chunk = library.ggml_quantize_chunk
chunk.restype = ctypes.c_size_t
chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
packed = np.zeros(ROWS * COLS // 256 * 144, np.uint8)
chunk(12, x.ctypes.data, packed.ctypes.data, 0, ROWS, COLS, None)
back = quants.dequantize(packed.reshape(ROWS, -1), GGMLQuantizationType.Q4_K)
error = [np.sqrt(np.mean((b - a) ** 2) / np.mean(a**2)) for a, b in zip(x, back)]
OUT.write_text(f"Q8_0 {fnv(q8.tobytes()):016x}\nQ4_K {np.mean(error):.9f}\n")
