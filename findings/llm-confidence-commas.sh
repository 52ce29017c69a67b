#!/usr/bin/env bash
# llm-confidence 0.2.3: what follows a comma in a value doesn't count for its confidence.
#
# Guess: the confidence of {"name": "Smith, John"} is the product of the probabilities of its tokens.
# Seen:  the value ends at its comma: with 0.9 for Smith and 0.1 for John it is 0.9, and 0.09 if the text has no comma.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check llm-confidence==0.2.3 numpy==2.3.5 pandas==2.3.3
"$folder/venv/bin/python" - <<'PYTHON'
import math

from llm_confidence import LogprobsHandler


def confidence(*value):
    tokens = [('{"', 1), ("name", 1), ('":', 1), (' "', 1), *value, ('",', 1), (' "', 1), ("age", 1), ('":', 1)]
    tokens += [(" 4", 0.5), ("2", 0.5), ("}", 1)]
    rows = [{"token": token, "logprob": math.log(probability)} for token, probability in tokens]
    seen = LogprobsHandler().process_logprobs(rows)
    print("".join(token for token, _ in tokens), seen)
    return seen


with_comma = confidence(("Smith", 0.9), (",", 1), (" John", 0.1))
without = confidence(("Smith", 0.9), (" John", 0.1))
assert without == {"name": 0.09, "age": 0.25}
assert with_comma == {"name": 0.9, "age": 0.25}, "the behaviour has changed"
PYTHON
