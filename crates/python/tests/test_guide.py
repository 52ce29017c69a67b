"""The examples of the book's page give what it shows. The real model's part has a test of its own."""

import doctest
import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[3] / "docs/src/guides/python.md"


def run(text: str, more: dict[str, object]) -> int:
    """Runs the examples; how many there were."""
    text = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {"np": np, **more}, PAGE.name, None, 0)
    output: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=output.append)
    assert not runner.summarize(verbose=False).failed, "".join(output)
    return len(test.examples)


def test_examples_without_a_model() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition("## Models")
    after = rest.partition("## Inside transformers")[2]
    assert run(before, {}) >= 10 and run(after, {}) >= 2
