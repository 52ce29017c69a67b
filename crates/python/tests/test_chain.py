"""Chains on anybody's logits: apply, draw, explain, functions as stages, other engines."""

import copy
import pickle
from threading import Thread

import kelvin
import numpy as np
from numpy.typing import NDArray

RANDOM = np.random.default_rng(2)
V = 1000


def rows(n: int) -> NDArray[np.float32]:
    return RANDOM.normal(scale=3, size=(n, V)).astype(np.float32)


def test_apply_on_a_row_and_on_a_batch() -> None:
    chain, batch = kelvin.Chain("temp=1.3 | min_p=0.05"), rows(5)
    several = chain.apply(batch)
    assert len(several) == 5
    for row, left in zip(batch, several):
        one = chain.apply(row)
        assert (one.ids == left.ids).all() and (one.probabilities == left.probabilities).all()
        p = kelvin.softmax(row.astype(np.float64), 1.3)
        kept = np.flatnonzero(p >= 0.05 * p.max())
        assert left.ids.tolist() == kept.tolist()
        assert np.abs(left.probabilities - p[kept] / p[kept].sum()).max() < 1e-6
        assert (left.logits == row[kept]).all() and left.temperature == np.float32(1.3)


def test_arrays_are_not_copied() -> None:
    """The arrays of a result are the same memory at every access, and not views of the input."""
    row = rows(1)[0]
    left = kelvin.Chain("temp=2").apply(row)
    for name in ["ids", "logits", "probabilities"]:
        first, second = getattr(left, name), getattr(left, name)
        assert first.__array_interface__["data"] == second.__array_interface__["data"]
        assert not np.shares_memory(first, row)

    seen: list[int] = []

    def look(given: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(given.__array_interface__["data"][0])
        return given

    kelvin.Chain(look).apply(row)
    assert seen[0] != row.__array_interface__["data"][0], "a stage may write to its own copy"


def test_draws_depend_on_seed_sample_and_position_alone() -> None:
    chain, batch = kelvin.Chain("temp=2 | top_p=0.95"), rows(6)
    draws = chain.draw(batch, seed=7, sample=3, position=11)
    assert draws == [chain.draw(row, seed=7, sample=3, position=11) for row in batch]
    assert draws == chain.draw(np.asfortranarray(batch), seed=7, sample=3, position=11)
    row = batch[0]
    others = {chain.draw(row, seed=7, position=at).token for at in range(50)}
    assert len(others) > 5
    each = chain.draw(np.stack([row] * 3), seed=1, sample=[0, 1, 2], position=4)
    assert each == [chain.draw(row, seed=1, sample=s, position=4) for s in range(3)]


def test_draws_follow_the_distribution() -> None:
    chain, row = kelvin.Chain("temp=1.5"), np.float32([0, 1, 2, 3])
    n = 20_000
    tokens = [draw.token for draw in chain.draw(np.stack([row] * n), sample=list(range(n)))]
    found = np.bincount(tokens, minlength=4) / n
    assert np.abs(found - kelvin.softmax(row, 1.5)).max() < 0.015


def test_history_reaches_penalties() -> None:
    chain = kelvin.Chain("repetition=2,scope:output | temp=0")
    row = [1.0, 3.0, 2.5]
    assert chain.draw(row).token == 1
    assert chain.draw(row, history=[1], n_prompt=0).token == 2
    assert chain.draw(row, history=np.array([1]), n_prompt=1).token == 1
    batch = chain.draw([row, row], history=[[1], []], n_prompt=0)
    assert [draw.token for draw in batch] == [2, 1]


def test_a_function_stands_anywhere() -> None:
    row = rows(1)[0]

    def halve(given: NDArray[np.float32]) -> NDArray[np.float32]:
        return given / 2

    plain = kelvin.Chain("temp=2 | top_k=50 | temp=2 | min_p=0.1").apply(row)
    for parts in [
        ("temp=2 | top_k=50", halve, "min_p=0.1"),
        (halve, "top_k=50 | temp=2 | min_p=0.1"),
        ("temp=4 | top_k=50 | min_p=0.1", lambda given: given),
    ]:
        left = kelvin.Chain(*parts).apply(row)
        assert left.ids.tolist() == plain.ids.tolist(), parts
        assert np.abs(left.probabilities - plain.probabilities).max() < 1e-6
    mixed = kelvin.Chain("temp=2 | xtc=1,threshold:0.01", halve, "xtc=0.5,threshold:0.01")
    report = mixed.explain(row)
    assert [stage["stage"] for stage in report.stages][2] == "halve()"
    assert "halve()" in report._repr_html_() and "halve()" in repr(report)


def test_a_function_leaves_the_dice_alone() -> None:
    """Random stages behind a function have the words that they have without it."""
    batch = rows(40)
    text = "temp=2 | xtc=0.5,threshold:0.001 | xtc=0.5,threshold:0.001"
    first, last = text.rsplit(" | ", 1)
    whole = kelvin.Chain(text).draw(batch, seed=5, position=3)
    parted = kelvin.Chain(first, lambda row: row, last).draw(batch, seed=5, position=3)
    same = sum(a.token == b.token for a, b in zip(whole, parted))
    assert same >= 39, same


def test_sampler_keeps_its_state() -> None:
    row = np.linspace(0, 12, V, dtype=np.float32)
    sampler = kelvin.Sampler("temp=1.5 | mirostat=3", seed=3)
    fork = sampler.fork()
    drawn = [sampler.draw(row) for _ in range(10)]
    assert drawn == [fork.draw(row) for _ in range(10)]
    assert len({draw.survivors for draw in drawn}) > 1, "mirostat learns"
    assert sampler.tokens == [draw.token for draw in drawn]
    greedy = kelvin.Sampler("no_repeat_ngram=1 | temp=0")
    assert len({greedy.draw(row).token for _ in range(20)}) == 20


def test_chains_as_values() -> None:
    chain = kelvin.Chain("temp=0.8|top_k=40")
    assert str(chain) == "temp=0.8 | top_k=40" and chain == kelvin.Chain("temp=0.8", "top_k=40")
    assert chain != kelvin.Chain("temp=0.8") and chain != "temp=0.8 | top_k=40"
    assert len({chain, kelvin.Chain(chain)}) == 1
    assert pickle.loads(pickle.dumps(chain)) == chain and copy.deepcopy(chain) == chain
    assert str(kelvin.Chain()) == "temp=1" and chain.temperature == np.float32(0.8)
    assert str(chain.with_temperature(2)) == "temp=2 | top_k=40"


def test_other_engines_there_and_back() -> None:
    for engine in ["llama.cpp", "vllm", "transformers", "ollama", "openai"]:
        there = kelvin.Chain("temp=0.7 | top_p=0.9").to(engine)
        numbers = {
            name: value
            for name, value in there["settings"].items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        back = kelvin.Chain.from_(engine, numbers)
        assert "temp=0.7" in str(back) and "top_p=0.9" in str(back), (engine, str(back))
    assert str(kelvin.Chain.from_("kelvin")) == "temp=1"


def test_threads_draw_at_once() -> None:
    chain, batch = kelvin.Chain("temp=2 | top_p=0.9"), rows(200)
    expected = chain.draw(batch, seed=1)
    answers: list[list[kelvin.Draw]] = []
    threads = [Thread(target=lambda: answers.append(chain.draw(batch, seed=1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4
