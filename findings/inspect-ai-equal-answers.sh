#!/usr/bin/env bash
# inspect-ai 0.3.285: the answer "A" to a question with options is incorrect, though it is the target.
#
# Guess: exact() and f1() call an answer right that equals its target, letter by letter.
# Seen:  both take the English articles away first. So "A" against "A" is incorrect with an F1 of 0, as are
#        "an", "The The" and "+" (marks go too); "B" against "B" is correct. match() is right about all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    inspect-ai==0.3.285
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio

from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Target, exact, f1, match
from inspect_ai.solver import TaskState


def scored(scorer, answer, target):
    output = ModelOutput.from_content("mockllm/model", answer)
    name = ModelName("mockllm/model")
    state = TaskState(model=name, sample_id=1, epoch=1, input="x", messages=[], output=output)

    async def run():
        return (await scorer(state, Target(target))).value

    return asyncio.run(run())


for answer in ("A", "B", "an", "The The", "+", "Vitamin A"):
    seen = [scored(scorer, answer, answer) for scorer in (exact(), f1(), match())]
    print(repr(answer), "against itself, by exact, f1 and match:", *seen)
    expected = ["C", 1, "C"] if answer in ("B", "Vitamin A") else ["I", 0, "C"]
    assert seen == expected, "the behaviour has changed"
PYTHON
