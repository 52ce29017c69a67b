"""Bad calls give exceptions of the right class with a sentence, and never end the process."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kelvin
import numpy as np
import pytest

K = kelvin
NAN, INF = float("nan"), float("inf")
Call = Callable[[kelvin.Model], Any]


def closed(model: kelvin.Model) -> kelvin.Sequence:
    sequence = model.sequence("a")
    sequence.close()
    return sequence


def twice(model: kelvin.Model) -> Any:
    sequence = model.sequence("a")
    return model.append([sequence, sequence], [5, 6])


def of_another(model: kelvin.Model) -> Any:
    other = K.Model(model.path)
    return model.append([other.sequence("a")], [5])


def bad_stage(answer: Any) -> Call:
    return lambda _: K.Chain(lambda row: answer).apply([1.0, 2.0])


def raises_inside(_: kelvin.Model) -> Any:
    def stage(row: Any) -> Any:
        raise KeyError("mine")

    return K.Chain("temp=1", stage).draw([1.0, 2.0])


CALLS: list[tuple[str, type[BaseException], str, Call]] = [
    ("nan", ValueError, "entry 1", lambda _: K.softmax([1.0, NAN])),
    ("plus inf", ValueError, "entry 0", lambda _: K.softmax([INF, 1.0])),
    ("empty", ValueError, "empty", lambda _: K.softmax([])),
    ("all masked", ValueError, "-inf", lambda _: K.entropy([-INF, -INF])),
    ("a scalar", ValueError, "single number", lambda _: K.softmax(3.0)),
    ("ragged", ValueError, "numpy makes no array", lambda _: K.softmax([[1.0], [1.0, 2.0]])),
    ("negative temperature", ValueError, "temperature is -1", lambda _: K.softmax([1.0], -1)),
    ("nan temperature", ValueError, "temperature is NaN", lambda _: K.entropy([1.0], NAN)),
    ("text temperature", TypeError, "float|number", lambda _: K.softmax([1.0], "1")),
    ("axis too large", IndexError, "axis 1 .*from -1 to 0", lambda _: K.softmax([1.0], 1, 1)),
    ("axis too small", IndexError, "axis -3", lambda _: K.entropy(np.zeros((2, 2)), 1, -3)),
    ("a float axis", TypeError, ".", lambda _: K.softmax([1.0], 1, 0.5)),
    ("texts", TypeError, "xs has the type", lambda _: K.softmax(["a", "b"])),
    ("complex", TypeError, "complex", lambda _: K.softmax(np.zeros(2, complex))),
    ("bools", TypeError, "bool", lambda _: K.softmax([True, False])),
    ("objects", TypeError, "object", lambda _: K.softmax([object()])),
    ("none", TypeError, "object", lambda _: K.softmax(None)),
    ("dates", TypeError, "datetime", lambda _: K.softmax(np.zeros(2, "datetime64[s]"))),
    ("unknown stage", ValueError, "unknown stage `heat`", lambda _: K.Chain("heat=1")),
    ("an empty chain", ValueError, "empty", lambda _: K.Chain("")),
    ("stage out of range", ValueError, "top_p", lambda _: K.Chain("top_p=2")),
    ("negative temp", ValueError, "temp", lambda _: K.Chain("temp=-1")),
    ("learning not last", ValueError, "last", lambda _: K.Chain("mirostat=3 | temp=1")),
    ("function after learning", ValueError, "learns", lambda _: K.Chain("mirostat=3", len)),
    ("a number as a part", TypeError, "part of a chain", lambda _: K.Chain(3)),
    ("a class as a part", TypeError, "part of a chain", lambda _: K.Chain(int)),
    ("unknown engine", ValueError, "no profile", lambda _: K.Chain().to("gpt")),
    ("unknown setting", ValueError, "no setting", lambda _: K.Chain.from_("vllm", {"heat": 1})),
    ("setting of text", ValueError, "number", lambda _: K.Chain.from_("vllm", {"top_p": "x"})),
    ("function elsewhere", ValueError, "function", lambda _: K.Chain(len).to("vllm")),
    ("two temps", ValueError, "leave one", lambda _: K.Chain("temp=1 | temp=2").with_temperature(1)),
    ("logits of 3 axes", ValueError, "shape", lambda _: K.Chain().apply(np.zeros((1, 1, 1)))),
    ("logits with nan", ValueError, "token 1 is NaN", lambda _: K.Chain().apply([0.0, NAN])),
    ("row of a batch", ValueError, "row 1: .*token 0", lambda _: K.Chain().draw([[0.0], [NAN]])),
    ("no logits", ValueError, "no logits", lambda _: K.Chain().draw([])),
    ("history too short", ValueError, "n_prompt", lambda _: K.Chain().draw([0.0], [1], n_prompt=2)),
    ("history of text", TypeError, "history", lambda _: K.Chain().draw([0.0], "ab")),
    ("negative history", ValueError, "token id -1", lambda _: K.Chain().draw([0.0], [-1])),
    ("histories of a batch", ValueError, "one for each", lambda _: K.Chain().draw([[0.0]] * 2, [[]])),
    ("samples of a batch", ValueError, "samples", lambda _: K.Chain().draw([[0.0]] * 3, sample=[1, 2])),
    ("negative seed", OverflowError, ".", lambda _: K.Chain().draw([0.0], seed=-1)),
    ("no token left", ValueError, "leaves no token", lambda _: K.Chain("bias=0:-inf").draw([0.0])),
    ("explain no rows", ValueError, "no rows", lambda _: K.Chain().explain(np.zeros((0, 3)))),
    ("stage of another shape", ValueError, "shape", bad_stage(np.zeros(3))),
    ("stage with nan", ValueError, "NaN for token 0", bad_stage(np.array([NAN, 0.0]))),
    ("stage of text", TypeError, "the answer", bad_stage("x")),
    ("stage that raises", KeyError, "mine", raises_inside),
    ("sampler of a batch", ValueError, "one sequence", lambda _: K.Sampler().draw([[0.0]])),
    ("no model file", FileNotFoundError, "no model file", lambda _: K.Model("nowhere.gguf")),
    ("unknown model", ValueError, ".", lambda _: K.Model("no-such-model")),
    ("not a model", ValueError, "can't use", lambda _: K.Model(__file__)),
    ("a number as a model", TypeError, ".", lambda _: K.Model(3)),
    ("cache of text", ValueError, "cache", lambda m: K.Model(m.path, cache="q4")),
    ("no cache", ValueError, "cache_tokens", lambda m: K.Model(m.path, cache_tokens=0)),
    ("empty prompt", ValueError, "no tokens", lambda m: m.logits([])),
    ("unknown token", ValueError, "no token 999", lambda m: m.logits([999])),
    ("prompt of floats", TypeError, "the prompt", lambda m: m.logits([1.5])),
    ("prompt of a number", TypeError, "the prompt", lambda m: m.generate(5)),
    ("too long", ValueError, "context", lambda m: m.logits("a" * 300)),
    ("too long to continue", ValueError, "context", lambda m: m.generate("a" * 300)),
    ("encode a number", TypeError, "str", lambda m: m.encode(3)),
    ("decode a text", TypeError, "tokens", lambda m: m.decode("a")),
    ("score one token", ValueError, "at least 2", lambda m: m.score([5])),
    ("no columns", ValueError, "nothing to compare", lambda m: m.compare("a", [])),
    ("an infinite column", ValueError, "temp", lambda m: m.compare("a", [INF])),
    ("empty stop", ValueError, "stop string", lambda m: m.generate("a", stop="")),
    ("no question", ValueError, "no question", lambda m: m.decide()),
    ("items without a question", ValueError, "item 1 has no question", lambda m: m.decide(None, ["a"])),
    ("a number as a question", TypeError, "the question is", lambda m: m.decide(3)),
    ("an empty question", ValueError, "question is empty", lambda m: m.decide(" ")),
    ("one option", ValueError, "1 option, but 2 to 255", lambda m: m.decide("x", options=["a"])),
    ("256 options", ValueError, "256 options",
     lambda m: m.decide("x", options=[str(i) for i in range(256)])),
    ("equal options", ValueError, "options 1 and 2", lambda m: m.decide("x", options=["a", "a"])),
    ("options of text", TypeError, "options is", lambda m: m.decide("x", options="ab")),
    ("an option of a number", ValueError, "value is 3", lambda m: m.decide("x", options=[3, 4])),
    ("a label of two tokens", ValueError, "isn't one token", lambda m: m.decide(
        "x", options=[{"value": "a", "label": "ab"}, {"value": "b", "label": "c"}])),
    ("an upside-down scale", ValueError, "score is", lambda m: m.decide("x", score=(5, 1))),
    ("a huge scale", ValueError, "score is", lambda m: m.decide("x", score=(-2**63, 2**63 - 1))),
    ("options and a scale", ValueError, "not both",
     lambda m: m.decide("x", options=["a", "b"], score=(1, 2))),
    ("options of a dictionary", ValueError, "belong to a question",
     lambda m: m.decide({"type": "predicate", "instructions": "x"}, options=["a", "b"])),
    ("a question without a type", ValueError, "type", lambda m: m.decide({"instructions": "x"})),
    ("items of numbers", TypeError, "item 1 is", lambda m: m.decide("x", [3])),
    ("items of a number", TypeError, "items is", lambda m: m.decide("x", 3)),
    ("an item of nothing", ValueError, "item 2: ", lambda m: m.decide("x", ["a", {}])),
    ("an item that is no json", TypeError, "serializable", lambda m: m.decide("x", [{"a": object()}])),
    ("no rotation", ValueError, "0 rotations", lambda m: m.decide("x", rotations=0)),
    ("a cold decision", ValueError, "above 0", lambda m: m.decide("x", temperature=0)),
    ("a decision at nan", ValueError, "above 0", lambda m: m.decide("x").at(NAN)),
    ("unknown layout", ValueError, "layout is", lambda m: m.decide("x", layout="sideways")),
    ("a question that is too long", ValueError, "has room for", lambda m: m.decide("x" * 400)),
    ("no calibration file", FileNotFoundError, "nowhere",
     lambda m: m.decide("x", calibration="nowhere.json")),
    ("a number as a calibration", TypeError, "calibration is", lambda m: m.decide("x", calibration=3)),
    ("what is no calibration", ValueError, "isn't a calibration",
     lambda m: m.decide("x", calibration=__file__)),
    ("too few examples", ValueError, "10 examples",
     lambda m: m.calibrate([{"input": "x", "answer": True}] * 10, "x")),
    ("examples without answers", ValueError, "item 1 has no answer",
     lambda m: m.calibrate(["x"] * 60, "x")),
    ("an answer that is none", ValueError, "item 60: the answer is",
     lambda m: m.calibrate([{"input": "x", "answer": True}] * 59 + [{"input": "x", "answer": "yes"}], "x")),
    ("unknown method", ValueError, "method is", lambda m: m.search("a", "warm")),
    ("groups of beams", ValueError, "groups is for diverse", lambda m: m.search("a", groups=2)),
    ("no beams", ValueError, "1 to 256 beams", lambda m: m.search("a", beams=0)),
    ("samples of beams", ValueError, "samples is for", lambda m: m.search("a", samples=4)),
    ("one text for mbr", ValueError, "at least 2", lambda m: m.search("a", "mbr", samples=1)),
    ("random beams", ValueError, "random", lambda m: m.search("a", chain="temp=1 | xtc=0.5")),
    ("beams of a schedule", ValueError, "one chain",
     lambda m: m.search("a", chain="after 2: temp=0.5; temp=1")),
    ("no tokens to search", ValueError, "at least one token", lambda m: m.search("a", max_tokens=0)),
    ("search too long", ValueError, "context", lambda m: m.search("a" * 300)),
    ("search too much", MemoryError, "cache_tokens",
     lambda m: K.Model(m.path, cache_tokens=64).search("a", "best-of", samples=99, max_tokens=99)),
    ("thoughts of no thinker", ValueError, "think: ", lambda m: m.generate("a", think=5)),
    ("an empty ban", ValueError, "ban_strings: ", lambda m: m.generate("a", ban_strings="")),
    ("a ban of a number", TypeError, ".", lambda m: m.generate("a", ban_strings=3)),
    ("pickle a decision", TypeError, "pickle", lambda m: pickle.dumps(m.decide("x"))),
    ("function in next", ValueError, "function", lambda m: m.next("a", K.Chain(len))),
    ("too much at once", MemoryError, "cache_tokens",
     lambda m: K.Model(m.path, cache_tokens=64).compare("a", [1.0] * 9, max_tokens=200)),
    ("closed", RuntimeError, "closed", lambda m: closed(m).append(5)),
    ("closed fork", RuntimeError, "closed", lambda m: closed(m).fork()),
    ("closed length", RuntimeError, "closed", lambda m: len(closed(m))),
    ("closed in a batch", RuntimeError, "closed", lambda m: m.append([closed(m)], [5])),
    ("append nothing", ValueError, "no tokens", lambda m: m.sequence("a").append([])),
    ("truncate too far", ValueError, "can't be truncated", lambda m: m.sequence("a").truncate(9)),
    ("truncate below 0", OverflowError, ".", lambda m: m.sequence("a").truncate(-1)),
    ("twice in a batch", ValueError, "twice", twice),
    ("of another model", ValueError, "another model", of_another),
    ("unequal batch", ValueError, "one list of tokens", lambda m: m.append([m.sequence("a")], [])),
    ("message without role", ValueError, "role", lambda m: m.chat([{"content": "x"}])),
    ("message of text", TypeError, "dictionary", lambda m: m.chat(["x"])),
    ("a bad date", ValueError, "YYYY", lambda m: m.chat("x", date="soon")),
    ("pickle a model", TypeError, "pickle", lambda m: pickle.dumps(m)),
    ("pickle a sequence", TypeError, "pickle", lambda m: pickle.dumps(m.sequence("a"))),
    ("pickle a generation", TypeError, "pickle", lambda m: pickle.dumps(m.generate("a"))),
    ("make a draw", TypeError, ".", lambda _: K.Draw()),  # type: ignore[call-arg]
]


@pytest.mark.parametrize("kind,words,call", [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_bad_call(
    kind: type[BaseException], words: str, call: Call, model: kelvin.Model, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words) as told:
        call(model)
    assert type(told.value) is kind and len(str(told.value)) >= 6
    # What was refused broke nothing.
    assert model.generate("a", max_tokens=1, ignore_end=True).result().ids.shape == (1,)


def test_there_are_many() -> None:
    assert len(CALLS) >= 120
