"""Writes crates/kernels/src/unpack/grids.bin: the grids of IQ2, IQ3 and IQ1 as little-endian u16.

ggml defines them (ggml-common.h: iq2xxs_grid, iq2xs_grid, iq2s_grid, iq3xxs_grid, iq3s_grid,
iq1s_grid); the PyPI package gguf 0.19 carries the same tables, which this reads. An entry is 8
values of 2 bits, or 4 of 3 bits, the first value lowest; a value is its index in the grid's map.

    python crates/kernels/tests/python/grids.py
"""

import pathlib

import numpy as np
from gguf import quants

OUT = pathlib.Path(__file__).parents[2] / "src" / "unpack" / "grids.bin"


def entries(kind):
    kind.init_grid()
    values = np.asarray(kind.grid).reshape(kind.grid_shape)
    codes = np.searchsorted(np.array(kind.grid_map, dtype=np.float32), values)
    bits = 2 if kind.grid_shape[1] == 8 else 3
    return (codes << (bits * np.arange(kind.grid_shape[1]))).sum(axis=1).astype("<u2")


GRIDS = [quants.IQ2_XXS, quants.IQ2_XS, quants.IQ2_S, quants.IQ3_XXS, quants.IQ3_S, quants.IQ1_S]
OUT.write_bytes(np.concatenate([entries(kind) for kind in GRIDS]).tobytes())
