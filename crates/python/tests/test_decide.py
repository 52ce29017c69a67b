"""Decisions, calibrations, searches, thoughts and banned strings: what the command says, as arrays."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import kelvin
import numpy as np
import pytest

QUESTION = {
    "type": "choice", "name": "team", "instructions": "Who?",
    "choices": [{"value": "bills", "description": "money"}, {"value": "post"}, {"value": True}],
}


def command(*words: str) -> list[dict[str, Any]]:
    """The lines that the wheel's own command prints."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "kelvin", *words],
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def thinking(tiny_path: Path) -> kelvin.Model:
    """A model whose template has it think before each answer."""
    return kelvin.Model(tiny_path.with_name("thinking.gguf"), threads=2)


def examples(n: int = 60) -> list[dict[str, Any]]:
    return [{"input": f"number {i}", "answer": i % 3 == 0} for i in range(n)]


def test_decisions_are_those_of_the_command(
    model: kelvin.Model, tiny_path: Path, tmp_path: Path
) -> None:
    items = [{"id": i, "input": "word " * i} for i in range(9)]
    items.append({"id": "own", "input": "x", "question": {
        "type": "score", "instructions": "How?", "levels": [{"label": "low"}, {"label": "high"}]}})
    lines = [json.dumps({"question": QUESTION, **item}) for item in items]
    path = tmp_path / "items.jsonl"
    path.write_text("\n".join(lines))
    told = command("decide", "--items", str(path), "--rotations", "3", "-t", "2.5", "--json",
                   "-m", str(tiny_path))
    decisions = model.decide(QUESTION, items, rotations=3, temperature=2.5)
    assert [one.answer for one in decisions] == told
    # Alone an answer has the same bits.
    alone = model.decide(QUESTION, items[3]["input"], rotations=3, temperature=2.5)
    assert (alone.probabilities == decisions[3].probabilities).all()
    one = decisions[0]
    assert one.kind == "choice" and one.options == ["bills", "post", "true"] and len(one) == 3
    assert one.rotations.shape == (3, 3) and 0 <= one.spread <= 1 and 0 < one.outside < 1
    # The geometric mean of the rotations, heated.
    q = np.exp(np.log(one.rotations).mean(axis=0))
    assert np.allclose(q / q.sum(), one.raw, atol=1e-12)
    heated = one.raw ** (1 / 2.5)
    assert np.allclose(heated / heated.sum(), one.probabilities, atol=1e-12)
    assert (one.at(2.5) == one.probabilities).all() and (one.at(1) == one.raw).all()
    assert one.confidence == one.probabilities.max() == one.probabilities[one.index]
    assert decisions[9].score is not None and decisions[9].choice in (0, 1)
    assert one.score is None and one.deviation is None


def test_kinds_of_questions(model: kelvin.Model) -> None:
    predicate = model.decide("Is it red?", "It is red.")
    assert predicate.kind == "predicate" and predicate.options == ["yes", "no"]
    assert predicate.choice is bool(predicate.probabilities[0] >= predicate.probabilities[1])
    score = model.decide("How good?", "A film.", score=(-1, 2))
    assert score.options == ["-1", "0", "1", "2"] and score.text == "A film."
    assert score.score is not None and score.deviation is not None
    levels = np.arange(-1, 3)
    assert math.isclose(float((levels * score.probabilities).sum()), score.score, abs_tol=1e-12)
    choice = model.decide("Which?", options=["a", {"value": "b", "description": "second"}, True])
    assert choice.options == ["a", "b", "true"] and choice.text is None
    assert model.decide("Which?", [], options=["a", "b"]) == []
    labelled = model.decide("Which?", options=[
        {"value": "warm", "label": "w"}, {"value": "cold", "label": "c"}])
    assert labelled.labels == ["w", "c"]
    for page in [predicate._repr_html_(), repr(predicate)]:
        assert "yes" in page and "<script" not in page and "outside of the labels" in page
    evil = model.decide("<script>", "x", options=["<b>", "c"])._repr_html_()
    assert "<script" not in evil and "<b>" not in evil


def test_a_calibration_is_that_of_the_command(
    model: kelvin.Model, tiny_path: Path, tmp_path: Path
) -> None:
    question = "It is a multiple of 3."
    data, file = tmp_path / "data.jsonl", tmp_path / "fitted.json"
    data.write_text("\n".join(json.dumps(one) for one in examples()))
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "kelvin", "calibrate", str(data), "-q", question,
         "--rotations", "2", "--seed", "5", "--output", str(file), "-m", str(tiny_path)],
        capture_output=True, check=True)
    fitted = model.calibrate(examples(), question, rotations=2, seed=5)
    told = json.loads(file.read_text())
    assert fitted.figures == told["kinds"] and fitted.sha256 == told["sha256"]
    t = fitted.temperatures["predicate"]
    assert t == told["kinds"]["predicate"]["fit"]["temperature"]
    own = tmp_path / "own.json"
    fitted.save(own)
    for given in [fitted, own, str(file), kelvin.Calibration.open(own)]:
        decision = model.decide(question, "number 5", calibration=given)
        assert decision.temperature == t and decision.rotations.shape[0] == 2
    assert "calibration error" in repr(fitted) and fitted._repr_html_().count("<svg") == 1
    page = fitted.report()
    assert page.startswith("<!doctype html>") and "predicate" in page


def test_searches(model: kelvin.Model, tiny_path: Path) -> None:
    for method, more, flags in [
        ("beam", {"beams": 5, "length_penalty": 0.5}, ["--beams", "5", "--length-penalty", "0.5"]),
        ("diverse", {"beams": 4, "groups": 2}, ["--beams", "4", "--groups", "2"]),
        ("stochastic", {"beams": 4, "seed": 7}, ["--beams", "4", "--seed", "7"]),
        ("best-of", {"samples": 9, "by": "sum", "seed": 7}, ["--samples", "9", "--by", "sum", "--seed", "7"]),
        ("mbr", {"samples": 9, "seed": 7}, ["--samples", "9", "--seed", "7"]),
    ]:
        search = model.search("Nepal", method, max_tokens=6, **more)
        whole = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "kelvin", "search", "Nepal", "-n", "6", "--json",
             "--method", method, "-m", str(tiny_path), *flags,
             *(["--tree"] if search.tree else [])],
            capture_output=True, text=True, check=True)
        told = json.loads(whole.stdout)
        assert [text.ids.tolist() for text in search.texts] == [one["ids"] for one in told["texts"]]
        assert [text.score for text in search.texts] == [one["score"] for one in told["texts"]]
        assert search.tree == told.get("tree", []) and search.steps == told.get("steps")
        page = search._repr_html_()
        assert "score" in page and len(search) == len(told["texts"]) and "ln p" in repr(search)
    best = model.search("Nepal", beams=3, max_tokens=5, ignore_end=True).texts[0]
    ids = [*model.encode("Nepal"), *best.ids.tolist()]
    assert abs(model.score(ids).logprobs[-5:].sum() - best.logprob) < 1e-4
    stop = best.text[2]
    assert all(stop not in text.text for text in
               model.search("Nepal", beams=3, max_tokens=9, stop=stop).texts)


def test_thoughts_are_apart_from_answers(thinking: kelvin.Model) -> None:
    ids = thinking.chat("abc")
    text = thinking.generate(ids, "think: temp=2; answer: temp=0.5", max_tokens=40, think=9,
                             seed=7).result()
    thought, _, answer = text.text.partition("</think>")
    assert text.thoughts == thought.strip() and text.answer == answer.lstrip()
    assert len(text.thoughts) > 3 and len(text.answer) > 3
    for text in thinking.compare(ids, [0.5, 2], max_tokens=30, think=4).result():
        assert "</think>" in text.text and "think" not in text.thoughts + text.answer
    free = thinking.generate(ids, max_tokens=5, ignore_end=True).result()
    assert free.answer == "" and free.thoughts == free.text.strip()


def test_banned_strings(model: kelvin.Model) -> None:
    wanted = {"max_tokens": 60, "ignore_end": True, "seed": 3}
    free = model.generate("Nepal", **wanted).result()
    assert free.answer == free.text and free.thoughts == ""
    pair = free.text[4:6]
    for ban in [pair, [pair, "\0"]]:
        held = model.generate("Nepal", ban_strings=ban, **wanted).result()
        assert pair not in held.text and held.text[:4] == free.text[:4]
    [again] = model.compare("Nepal", [1], ban_strings=pair, **wanted).result()
    assert (again.ids == held.ids).all()


def test_ctrl_c_ends_decisions_and_searches(tiny_path: Path) -> None:
    model = kelvin.Model(tiny_path, threads=2, cache_tokens=100_000)
    texts = [f"word {i % 1000} " * 20 for i in range(3000)]
    calls = [
        lambda: model.decide("Which?", texts, options=["a", "b"]),
        lambda: model.search("Nepal", "best-of", samples=400, max_tokens=200, ignore_end=True),
        lambda: model.search("Nepal", beams=200, max_tokens=200, ignore_end=True),
    ]
    for call in calls:
        timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            call()
        timer.join()
        assert model.generate("a", max_tokens=1, ignore_end=True).result().ids.shape == (1,)
