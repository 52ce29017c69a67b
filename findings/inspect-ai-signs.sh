#!/usr/bin/env bash
# inspect-ai 0.3.285: the answer -5 is an exact match of 5, and 1/2 of 12.
#
# Guess: exact() may overlook case and a full stop; numbers are exact. match(numeric=True) finds the number of
#        an answer, whatever its unit.
# Seen:  exact() and f1() drop each mark of punctuation, so -5 is 5, 1/2 is 12, 3:00 is 300 and C++ is C.
#        match(numeric=True) minds the sign, but 42% and x=42 are not 42, while "42 apples" and Ⅳ (as 4) are.
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


for answer, target in (("-5", "5"), ("5", "-5"), ("1/2", "12"), ("3:00", "300"), ("C++", "C")):
    seen = scored(exact(), answer, target), scored(f1(), answer, target)
    print(repr(answer), "against", repr(target), "by exact and f1:", *seen)
    assert seen == ("C", 1), "the behaviour has changed"
numbers = {"-42": "I", "42.0": "C", "42 apples": "C", "42%": "I", "x=42": "I"}
for answer, expected in numbers.items():
    seen = scored(match(numeric=True), answer, "42")
    print(repr(answer), "against 42 by match(numeric=True):", seen)
    assert seen == expected, "the behaviour has changed"
assert scored(match(numeric=True), "Ⅳ", "4") == "C", "the behaviour has changed"
PYTHON
