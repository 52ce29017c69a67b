"""A model: logits as arrays, continuations as iterators and results, sequences."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import kelvin
import numpy as np
import pytest

PROMPT = "Nepal is a land of"


def test_logits_are_the_same_by_every_way(model: kelvin.Model) -> None:
    ids = model.encode(PROMPT)
    every = model.logits(PROMPT, all=True)
    assert every.shape == (len(ids), model.vocab_size) and every.dtype == np.float32
    assert (model.logits(ids) == every[-1]).all()
    sequence = model.sequence()
    one_by_one = np.stack([sequence.append(i) for i in ids])
    assert (one_by_one == every).all()
    assert sequence.tokens == ids and len(sequence) == len(ids)


def test_forks_and_truncation_change_no_bit(model: kelvin.Model) -> None:
    ids = model.encode("x" * 50)
    sequence = model.sequence(ids)
    forks = [sequence.fork() for _ in range(4)]
    batch = model.append(forks, [[7, 8], [9], [7], [10]])
    alone = [model.logits([*ids, *more]) for more in ([7, 8], [9], [7], [10])]
    assert (batch == np.stack(alone)).all()
    forks[0].truncate(40)
    assert (forks[0].append(ids[40:]) == model.logits(ids)).all()
    assert sequence.tokens == ids


def test_beam_search_in_ten_lines(model: kelvin.Model) -> None:
    prompt, width, length = model.encode(PROMPT), 4, 5
    beams = [(0.0, model.sequence(prompt[:-1]), prompt[-1])]
    for _ in range(length):
        logits = model.append([beam[1] for beam in beams], [beam[2] for beam in beams])
        logps = np.log(kelvin.softmax(logits.astype(np.float64)))
        total = logps + np.array([[beam[0]] for beam in beams])
        best = np.argsort(total, axis=None)[::-1][:width]
        places = [divmod(int(i), model.vocab_size) for i in best]
        beams = [(total[b, t], beams[b][1].fork(), t) for b, t in places]
    score, sequence, last = beams[0]
    text = [*sequence.tokens, last]
    assert abs(-model.score(text).logprobs[-length:].sum() + score) < 1e-3


def test_generation_by_token_and_as_a_result(model: kelvin.Model) -> None:
    wanted = {"chain": "temp=1.5", "max_tokens": 20, "seed": 3, "ignore_end": True}
    generation = model.generate(PROMPT, **wanted)
    tokens = list(generation)
    text = generation.result()
    assert [token.id for token in tokens] == text.ids.tolist() and len(text) == 20
    assert "".join(token.text for token in tokens) == text.text == generation.text
    assert text.finish == "max_tokens" and text.seed == 3 and text.chain == "temp=1.5"
    again = model.generate(PROMPT, **wanted).result()
    assert (again.ids == text.ids).all() and (again.surprisal == text.surprisal).all()
    # The same draws as a loop of one's own.
    sequence = model.sequence()
    logits, ids = sequence.append(model.encode(PROMPT)), []
    for _ in range(20):
        draw = kelvin.Chain("temp=1.5").draw(logits, seed=3, position=len(sequence))
        ids.append(draw.token)
        logits = sequence.append(draw.token)
    assert ids == text.ids.tolist()
    score = model.score([*model.encode(PROMPT), *ids])
    assert np.abs(score.logprobs[-20:] + text.surprisal).max() < 1e-5


def test_ends(model: kelvin.Model) -> None:
    whole = model.generate(PROMPT, max_tokens=30, ignore_end=True).result().text
    stop = whole[10]
    text = model.generate(PROMPT, max_tokens=30, ignore_end=True, stop=stop).result()
    assert text.finish == "stop_string" and text.text == whole[: whole.index(stop)]
    several = model.generate(PROMPT, max_tokens=30, ignore_end=True, stop=["\0", stop]).result()
    assert several.text == text.text


def test_comparison(model: kelvin.Model) -> None:
    comparison = model.compare(PROMPT, [0, 1, 3], samples=2, max_tokens=8, ignore_end=True)
    seen = [0] * 6
    for token in comparison:
        seen[token.column] += 1
    assert seen == [8] * 6
    texts = comparison.result()
    assert [(text.temperature, text.sample) for text in texts] == [
        (t, sample) for t in [0, 1, 3] for sample in [0, 1]
    ]
    for text in texts:
        alone = model.generate(
            PROMPT, text.chain, max_tokens=8, ignore_end=True, sample=text.sample
        ).result()
        assert (alone.ids == text.ids).all()
    page = comparison._repr_html_()
    assert page.count("T = 3") == 2 and "rgba(" in page and len(repr(comparison)) > 100


def test_several_at_once_run_in_one_batch(model: kelvin.Model) -> None:
    wanted = [model.generate(PROMPT, "temp=2", max_tokens=12, ignore_end=True, sample=i)
              for i in range(3)]
    expected = [model.generate(PROMPT, "temp=2", max_tokens=12, ignore_end=True, sample=i)
                .result().ids.tolist() for i in range(3)]
    ids: list[list[int]] = [[], [], []]
    for tokens in zip(*wanted):
        for own, token in zip(ids, tokens):
            own.append(token.id)
    assert ids == expected


def test_stopping(model: kelvin.Model) -> None:
    generation = model.generate(PROMPT, max_tokens=100, ignore_end=True)
    tokens = [next(generation) for _ in range(3)]
    generation.stop()
    generation.stop()
    assert list(generation) == [] and generation.has_ended
    text = generation.result()
    assert text.finish == "cancelled" and text.ids.tolist() == [token.id for token in tokens]
    next(model.generate(PROMPT, max_tokens=100))  # dropped while it runs


def test_next_and_displays(model: kelvin.Model) -> None:
    what = model.next(PROMPT, "temp=2 | top_k=5", n=3)
    assert len(what.survivors) == 5 and len(what.view["top"]) == 3
    assert what.token == kelvin.Chain("temp=2 | top_k=5").draw(
        what.logits, position=len(model.encode(PROMPT))).token
    for thing in [what, what.survivors, model.score("<b>"), model.generate(PROMPT, max_tokens=2)]:
        page = thing._repr_html_()
        assert page.startswith("<div") and "<script" not in page and repr(thing)
    assert "&lt;" in model.score("<b>")._repr_html_()


def test_threads_share_a_model(model: kelvin.Model) -> None:
    expected = model.generate(PROMPT, "temp=2", max_tokens=30, ignore_end=True).result()
    answers: list[list[int]] = []

    def run() -> None:
        text = model.generate(PROMPT, "temp=2", max_tokens=30, ignore_end=True).result()
        answers.append(text.ids.tolist())

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected.ids.tolist()] * 6


def test_ctrl_c_stops_within_a_step(model: kelvin.Model) -> None:
    for seconds in [0.002, 0.01, 0.03]:
        comparison = model.compare(PROMPT, [1.0] * 40, max_tokens=200, ignore_end=True)
        timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            comparison.result()
            time.sleep(5)
        assert time.monotonic() - begun < 3
        timer.join()
        token = next(comparison, None)  # it goes on
        assert token is None or token.id >= 0
        comparison.stop()
    sequence = model.sequence("abc")
    before = sequence.tokens
    with pytest.raises(ValueError):
        sequence.append([5, 10**6])
    assert sequence.tokens == before and sequence.append(5).shape == (model.vocab_size,)


def test_a_forked_process_is_told(tiny_path: Path) -> None:
    """In a child whose threads are gone every call says so, and the child can end."""
    script = f"""
import os, kelvin
model = kelvin.Model({str(tiny_path)!r})
sequence, generation = model.sequence("a"), model.generate("a")
next(generation)
child = os.fork()
if child == 0:
    told = 0
    for call in [lambda: model.logits("a"), lambda: sequence.append(5), lambda: next(generation),
                 lambda: model.generate("a"), lambda: model.append([sequence], [5])]:
        try:
            call()
        except RuntimeError as error:
            told += "forked" in str(error)
    raise SystemExit(told)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 5, status
assert len(model.logits("a")) == model.vocab_size
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60)
    assert done.returncode == 0
