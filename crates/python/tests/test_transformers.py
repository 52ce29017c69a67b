"""KelvinSampler against a stand-in for torch's tensors and transformers' loop."""

import doctest
from typing import Any

import kelvin
import kelvin.transformers
import numpy as np
import pytest
from kelvin.transformers import KelvinSampler


class Tensor:
    """What a processor uses of a torch tensor."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def float(self) -> "Tensor":
        return Tensor(self.array.astype(np.float32, copy=False))

    def new_full(self, shape: tuple[int, ...], value: float) -> "Tensor":
        return Tensor(np.full(shape, value, self.array.dtype))

    def __setitem__(self, place: Any, value: float) -> None:
        self.array[place] = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array


def loop(model: kelvin.Model, prompts: list[list[int]], sampler: KelvinSampler, n: int) -> Any:
    """transformers' greedy loop: the processor, then argmax."""
    sequences = [model.sequence(prompt[:-1]) for prompt in prompts]
    ids = np.array(prompts)
    for _ in range(n):
        logits = model.append(sequences, ids[:, -1].tolist())
        scores = sampler(Tensor(ids), Tensor(logits))
        assert (np.isfinite(scores.array).sum(axis=1) == 1).all()
        ids = np.concatenate([ids, scores.array.argmax(axis=1)[:, None]], axis=1)
    return ids


@pytest.mark.parametrize("chain", ["temp=1.2 | min_p=0.05", "frequency=0.7 | temp=2 | xtc=0.5"])
def test_the_draws_are_those_of_kelvin(model: kelvin.Model, chain: str) -> None:
    prompt = model.encode("Nepal is")
    ids = loop(model, [prompt] * 3, KelvinSampler(chain, seed=7), 12)
    for sample, row in enumerate(ids):
        text = model.generate(prompt, chain, seed=7, sample=sample, max_tokens=12, ignore_end=True)
        assert row[len(prompt) :].tolist() == text.result().ids.tolist()


def test_padding_takes_no_positions() -> None:
    row = np.linspace(0, 1, 50)
    sampler = KelvinSampler("temp=3", seed=1, pad_token_id=0)
    plain = [KelvinSampler("temp=3", seed=1).token([5] * n, row) for n in range(1, 9)]
    assert [sampler.token([0, 0, 0] + [5] * n, row) for n in range(1, 9)] == plain


def test_refusals_and_examples() -> None:
    with pytest.raises(ValueError, match="learns"):
        KelvinSampler("temp=1 | mirostat=3")
    failed, tried = doctest.testmod(kelvin.transformers, extraglobs={"np": np})
    assert failed == 0 and tried >= 5
