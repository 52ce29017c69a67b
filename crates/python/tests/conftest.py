"""What the tests share: the tiny model, which the example `tiny_model` of kelvin-testkit writes."""

import os
from pathlib import Path

import kelvin
import pytest


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
