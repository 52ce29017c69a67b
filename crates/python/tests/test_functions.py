"""Python functions as stages of a chain inside continuations."""

import gc
import signal
import threading
from collections.abc import Iterator
from typing import Any

import kelvin
import numpy as np
import pytest
from kelvin import Chain

CHAINS: list[list[str]] = [
    ["temp=1.5", "top_k=9"],
    ["repetition=1.3 | temp=2", "min_p=0.01"],
    ["xtc=0.5,threshold:0.02", "temp=1.3"],
    ["temp=1.2 | top_p=0.9", "xtc=0.5,threshold:0.02"],
    ["temp=2", "mirostat=3"],
]


def nothing(row: Any) -> None:
    pass


def only(*ids: int) -> Any:
    def stage(row: Any) -> Any:
        left = np.full_like(row, -np.inf)
        left[list(ids)] = row[list(ids)]
        return left

    return stage


@pytest.mark.parametrize("parts", CHAINS, ids=" | ".join)
def test_a_function_stands_anywhere(parts: list[str], model: kelvin.Model) -> None:
    """The draws are those of the same chain on the same logits, one after another."""
    chain = Chain(parts[0], nothing, parts[1])
    prompt = model.encode("Hello")
    text = model.generate(prompt, chain, max_tokens=12, seed=5, sample=2, ignore_end=True).result()
    sampler = kelvin.Sampler(chain, prompt=prompt, seed=5, sample=2)
    sequence = model.sequence(prompt[:-1])
    for i, id in enumerate(text.ids):
        draw = sampler.draw(sequence.append(sampler.tokens[-1]))
        assert (draw.token, draw.rank, draw.survivors) == (id, text.rank[i], text.survivors[i])
        assert draw.surprisal == text.surprisal[i] and draw.entropy == text.entropy[i]
        assert draw.surprisal_final == text.surprisal_final[i]
    assert text.chain == str(chain) and "nothing()" in text.chain and not text.is_reproducible
    assert model.generate("Hi", parts[0], max_tokens=1).result().is_reproducible


def test_what_it_returns_is_drawn_from(model: kelvin.Model) -> None:
    text = model.generate("Hi", only(7), max_tokens=4, ignore_end=True).result()
    assert text.ids.tolist() == [7] * 4 and text.surprisal.min() > 0 == text.surprisal_final.max()
    texts = model.compare("Hi", [0.5, 2], samples=2, chain=Chain("temp=1", only(7, 9)),
                          max_tokens=8, ignore_end=True).result()
    assert [t.temperature for t in texts] == [0.5, 0.5, 2, 2]
    assert {int(id) for t in texts for id in t.ids} == {7, 9}
    # A text that may not end yet doesn't, whatever the function returns.
    end = model.end_tokens[0]
    kept = model.generate("Hi", only(7, end), min_tokens=20, max_tokens=20).result()
    assert kept.ids.tolist() == [7] * 20


class Mine(Exception):
    pass


def test_an_exception_ends_the_continuation(model: kelvin.Model) -> None:
    calls = []

    def fails(row: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Mine("at the third")

    for chain in [Chain(fails), Chain("temp=2 | top_k=5", fails, "min_p=0.1")]:
        calls.clear()
        generation = model.generate("Hi", chain, max_tokens=9, ignore_end=True)
        with pytest.raises(Mine, match="at the third"):
            generation.result()
        assert generation.has_ended and len(list(generation)) == 0
    calls.clear()
    comparison = model.compare("Hi", [0.5, 1], samples=2, chain=Chain("temp=1", fails))
    with pytest.raises(Mine):
        comparison.result()
    assert comparison.has_ended
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        model.generate("Hi", lambda row: [1.0, 2.0, 3.0]).result()
    with pytest.raises((RuntimeError, ValueError), match="token|masked|inf"):
        model.generate("Hi", lambda row: np.full_like(row, -np.inf)).result()
    # Another continuation in the batch goes on.
    calls.clear()
    good = model.generate("Hi", "temp=1", max_tokens=8, seed=3, ignore_end=True)
    bad = model.generate("Hi", fails, max_tokens=8, ignore_end=True)
    with pytest.raises(Mine):
        for _ in zip(good, bad):
            pass
    same = model.generate("Hi", "temp=1", max_tokens=8, seed=3, ignore_end=True).result()
    assert good.result().ids.tolist() == same.ids.tolist()


def test_a_function_cannot_run_the_model_that_waits_for_it(
    model: kelvin.Model, tiny_path: Any
) -> None:
    with pytest.raises(RuntimeError, match="waits for it"):
        model.generate("Hi", lambda row: model.logits("Hi")).result()
    other = kelvin.Model(tiny_path, threads=1)
    text = model.generate("Hi", lambda row: row - 0.5 * other.logits("Hi"), max_tokens=3,
                          ignore_end=True).result()
    assert len(text) == 3
    # The thread that ran the function may use the model afterwards.
    assert model.logits("Hi").shape == (model.vocab_size,)


def test_ctrl_c_in_a_function(model: kelvin.Model) -> None:
    def interrupt(row: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.generate("Hi", interrupt, max_tokens=50, ignore_end=True).result()


def test_no_thread_waits_for_another(tiny_path: Any) -> None:
    """Steps wait for the interpreter, which threads hold that drop and stop continuations."""
    model = kelvin.Model(tiny_path, threads=2, cache_tokens=2048)

    def slow(row: Any) -> None:
        sum(range(2000))

    def run() -> None:
        for i in range(6):
            model.generate("Hi", slow, max_tokens=12, seed=i, ignore_end=True).result()

    def drop() -> Iterator[None]:
        while any(thread.is_alive() for thread in threads):
            model.generate("Hello", max_tokens=200, ignore_end=True)
            generation = model.generate("Hello", slow, max_tokens=200, ignore_end=True)
            next(generation)
            generation.stop()
            gc.collect()
            yield

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in drop():
        pass
    # What was dropped holds no memory: eight texts fill the cache.
    texts = model.compare("Hi", [1.0], samples=8, max_tokens=200, ignore_end=True).result()
    assert [len(text) for text in texts] == [200] * 8
