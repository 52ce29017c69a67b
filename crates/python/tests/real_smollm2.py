"""A real model: Python gives the texts that the command gives, bit for bit.

Needs SmolLM2 (`kelvin models pull smollm2`). The command is the wheel's; KELVIN_BINARY names
another.
"""

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import kelvin
import numpy as np
import pytest
import test_guide

PROMPT = "Nepal is a country"


@pytest.fixture(scope="module")
def smollm2() -> kelvin.Model:
    return kelvin.Model("smollm2", offline=True)


def command(*args: str) -> Any:
    own = Path(sysconfig.get_path("scripts")) / "kelvin"
    binary = os.environ.get("KELVIN_BINARY", own)
    done = subprocess.run([binary, *args], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_real_texts_are_those_of_the_command(smollm2: kelvin.Model) -> None:
    said = command("compare", PROMPT, "-m", "smollm2", "--raw", "-t", "0.5,1,2", "-n", "12",
                   "--seed", "7", "--json")
    texts = smollm2.compare(PROMPT, [0.5, 1, 2], max_tokens=12, seed=7).result()
    for column, text in zip(said["columns"], texts, strict=True):
        assert column["text"] == text.text


def test_real_scores(smollm2: kelvin.Model) -> None:
    score = smollm2.score(PROMPT)
    every = smollm2.logits(PROMPT, all=True).astype(np.float64)
    logps = np.log(kelvin.softmax(every))
    expected = [logps[i, t] for i, t in enumerate(score.ids[1:])]
    assert np.abs(score.logprobs - expected).max() < 1e-9 and 1 < score.perplexity < 1000


def test_real_chat_ends_its_turn(smollm2: kelvin.Model) -> None:
    prompt = smollm2.chat([{"role": "user", "content": "Say hello."}])
    text = smollm2.generate(prompt, "temp=0", max_tokens=60).result()
    assert text.finish == "end_token" and text.text


def test_real_examples_of_the_book(smollm2: kelvin.Model) -> None:
    page = test_guide.PAGE.read_text(encoding="utf-8")
    assert test_guide.run(page, {"kelvin": kelvin}) >= 20
