"""Every public name is documented, and every example in a docstring gives what it shows."""

import doctest
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import kelvin
import numpy as np
import pytest


def members() -> Iterator[tuple[str, Any, bool]]:
    """Name, object, and whether it is called (getters show no example of their own)."""
    yield "kelvin", kelvin, True
    yield "kelvin.lab", kelvin.lab, True
    yield "kelvin._kelvin.run_command", kelvin._kelvin.run_command, True
    yield from of(kelvin)
    yield "kelvin.ray", kelvin.ray, True
    yield from of(kelvin.lab)
    yield from of(kelvin.ray)


def of(module: ModuleType) -> Iterator[tuple[str, Any, bool]]:
    for name in module.__all__:
        thing = getattr(module, name)
        if name.startswith("__") or inspect.ismodule(thing):
            continue
        yield name, thing, True
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") or member == "from_":
                    is_getter = inspect.isdatadescriptor(value)
                    yield f"{name}.{member}", value, not is_getter


@pytest.mark.parametrize("name,thing,is_called", list(members()), ids=lambda value: str(value)[:40])
def test_docstring(
    name: str, thing: Any, is_called: bool, model: kelvin.Model, run: kelvin.lab.Run, tmp_path: Path
) -> None:
    if isinstance(thing, staticmethod):
        thing = thing.__func__
    doc = inspect.getdoc(thing) or ""
    assert len(doc) > 5, f"{name} has no docstring"
    if not is_called:
        return
    globals_ = {
        "kelvin": kelvin, "np": np, "model": model, "tiny": model.path, "run": run, "db": run.db,
        "new": tmp_path / "new.db",
    }
    test = doctest.DocTestParser().get_doctest(doc, globals_, name, None, 0)
    assert test.examples, f"{name} shows no example"
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    output: list[str] = []
    runner.run(test, out=output.append)
    assert not runner.summarize(verbose=False).failed, "".join(output)


def test_functions_say_shapes_errors_and_source() -> None:
    for name in ["softmax", "entropy", "effective_choices", "free_energy", "heat_capacity"]:
        doc = getattr(kelvin, name).__doc__
        for word in ["Args:", "Returns:", "Raises:", "Source:", "Examples:"]:
            assert word in doc, f"{name}: {word}"
    for method in ["Chain.apply", "Chain.draw", "Chain.to", "Model.generate", "Model.compare",
                   "Model.logits", "Model.score", "Model.append", "Model.decide",
                   "Model.calibrate", "Model.search", "Decision.at"]:
        owner, _, member = method.partition(".")
        doc = getattr(getattr(kelvin, owner), member).__doc__
        assert re.search(r"Raises:.*Examples:", doc, re.DOTALL), method
