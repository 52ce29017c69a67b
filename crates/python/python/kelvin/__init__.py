"""Kelvin: see, steer and measure how temperature makes a language model creative.

`softmax`, `entropy` and their like work on numpy arrays of any shape. A `Chain` is a list of
sampling stages for anybody's logits. A `Model` is an open GGUF file. `kelvin.lab` has sweeps, runs
and reports, `kelvin.ray` sweeps on a cluster.

    >>> import kelvin
    >>> kelvin.softmax([1.0, 2.0], t=5.0)
    array([0.450166, 0.549834])
    >>> kelvin.Chain("temp=2 | top_k=2").apply([2.0, 0.0, 1.0]).ids
    array([0, 2], dtype=uint32)
"""

from . import lab, ray
from ._kelvin import (
    Calibration,
    Chain,
    Comparison,
    Decision,
    Draw,
    Explanation,
    Found,
    Generation,
    Model,
    Next,
    Sampler,
    Score,
    Search,
    Sequence,
    Survivors,
    Text,
    Token,
    __version__,
    effective_choices,
    entropy,
    free_energy,
    heat_capacity,
    softmax,
    softmax_t,
)

__all__ = [
    "Calibration",
    "Chain",
    "Comparison",
    "Decision",
    "Draw",
    "Explanation",
    "Found",
    "Generation",
    "Model",
    "Next",
    "Sampler",
    "Score",
    "Search",
    "Sequence",
    "Survivors",
    "Text",
    "Token",
    "__version__",
    "effective_choices",
    "entropy",
    "free_energy",
    "heat_capacity",
    "lab",
    "ray",
    "softmax",
    "softmax_t",
]
