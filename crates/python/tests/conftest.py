"""What the tests share: the tiny model, which the example `tiny_model` of kelvin-testkit writes."""

import os
import signal
from pathlib import Path

import kelvin
import pytest

# A program that a script starts in the background ignores Ctrl-C; the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_path() -> Path:
    path = os.environ.get("KELVIN_TINY_MODEL")
    assert path, (
        "KELVIN_TINY_MODEL isn't set: run `cargo run -p kelvin-testkit --example tiny_model -- "
        "target/tiny` and set it to target/tiny/tiny.gguf"
    )
    return Path(path)


@pytest.fixture(scope="session")
def model(tiny_path: Path) -> kelvin.Model:
    return kelvin.Model(tiny_path, threads=2)


@pytest.fixture(scope="session")
def run(tiny_path: Path, tmp_path_factory: pytest.TempPathFactory) -> kelvin.lab.Run:
    """The run of the docstrings' examples."""
    return kelvin.lab.sweep(
        model=tiny_path, prompts="Hi", temp="0.5,1,2", samples=2, seed=7, max_tokens=8,
        db=tmp_path_factory.mktemp("lab") / "runs.db", progress=False,
    )
