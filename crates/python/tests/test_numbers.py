"""Softmax and its figures against scipy, in every shape, type and at the edges."""

import kelvin
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

RANDOM = np.random.default_rng(1)
SHAPES = [(5,), (3, 7), (2, 3, 4), (1, 1), (4, 1, 6)]
TEMPERATURES = [0.05, 0.5, 1.0, 2.0, 50.0]


def arrays() -> list[tuple[NDArray[np.float64], int]]:
    return [
        (RANDOM.normal(scale=4, size=shape), axis)
        for shape in SHAPES
        for axis in range(-len(shape), len(shape))
    ]


@pytest.mark.parametrize("t", TEMPERATURES)
def test_equal_to_scipy(t: float) -> None:
    for xs, axis in arrays():
        p = special.softmax(xs / t, axis=axis)
        assert np.abs(kelvin.softmax(xs, t, axis) - p).max() < 1e-12
        entropy = stats.entropy(p, axis=axis)
        assert np.abs(kelvin.entropy(xs, t, axis) - entropy).max() < 1e-12
        choices = kelvin.effective_choices(xs, t, axis)
        assert np.abs(choices - np.exp(entropy)).max() < 1e-11
        free = -t * special.logsumexp(xs / t, axis=axis)
        assert np.abs((kelvin.free_energy(xs, t, axis) - free) / (1 + abs(free))).max() < 1e-12
        mean = (p * xs).sum(axis=axis, keepdims=True)
        capacity = (p * (xs - mean) ** 2).sum(axis=axis) / t**2
        found = kelvin.heat_capacity(xs, t, axis)
        assert np.abs((found - capacity) / (1 + capacity)).max() < 1e-12


def test_types_and_layouts() -> None:
    xs = RANDOM.normal(size=(6, 8))
    p = kelvin.softmax(xs)
    assert p.dtype == np.float64 and p.shape == xs.shape
    for other in [np.asfortranarray(xs), xs[:, ::-1][:, ::-1], xs.astype(">f8"), xs.tolist()]:
        assert (kelvin.softmax(other) == p).all()
    narrow = kelvin.softmax(xs.astype(np.float32))
    assert narrow.dtype == np.float32 and np.abs(narrow - p).max() < 1e-6
    assert kelvin.softmax(xs.astype(np.float16)).dtype == np.float32
    assert (kelvin.softmax([1, 2]) == kelvin.softmax(np.array([1, 2], np.int8))).all()
    unaligned = np.frombuffer(b"\0" + np.float64([1, 2]).tobytes(), np.uint8)[1:].view(np.float64)
    assert (kelvin.softmax(unaligned) == kelvin.softmax([1.0, 2.0])).all()
    assert kelvin.softmax(np.zeros((0, 3))).shape == (0, 3)
    frozen = xs.copy()
    frozen.flags.writeable = False
    assert (kelvin.softmax(frozen) == p).all()


def test_edges_of_temperature() -> None:
    xs = [3.0, 5.0, 5.0, -np.inf]
    assert kelvin.softmax(xs, 0).tolist() == [0, 1, 0, 0]
    assert np.abs(kelvin.softmax(xs, np.inf) - [1 / 3, 1 / 3, 1 / 3, 0]).max() < 1e-15
    assert kelvin.entropy(xs, 0) == 0 and kelvin.free_energy(xs, 0) == -5
    assert abs(kelvin.entropy(xs, np.inf) - np.log(3)) < 1e-15
    assert kelvin.free_energy(xs, np.inf) == -np.inf and kelvin.heat_capacity(xs, np.inf) == 0
    assert kelvin.softmax([2.0, 1.0], 5e-324).tolist() == [1, 0]


def test_the_article() -> None:
    """Its functions, written with numpy, and ours print the same numbers."""

    def softmax_t(xs: NDArray[np.float64], t: float) -> NDArray[np.float64]:
        exps: NDArray[np.float64] = np.exp(xs / t)
        return exps / exps.sum()

    greetings = np.array([0.1, 0, 0.5, 1, 4, 0.6])
    for t in [1.0, 5.0]:
        assert np.abs(kelvin.softmax_t(greetings, t) - softmax_t(greetings, t)).max() < 1e-15
    assert str(kelvin.softmax(np.array([1, 2]))) == "[0.26894142 0.73105858]"
    assert str(kelvin.softmax_t(np.array([1, 2]), 2)) == "[0.37754067 0.62245933]"
    assert str(kelvin.softmax_t(np.array([1, 2]), 5)) == "[0.450166 0.549834]"
    assert np.round(kelvin.softmax(greetings), 4).tolist() == [
        0.0176, 0.0159, 0.0262, 0.0432, 0.8681, 0.029,
    ]
