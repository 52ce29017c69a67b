#!/usr/bin/env bash
# distenum 0.1.1: a judge that gives 1 with 0.6 and 10 with 0.3 is said to prefer 10.
#
# Guess: the probabilities of an enum's values are those of their tokens.
# Seen:  a value has those of all first tokens that it begins with, so "10" has the token 1's too: 0.56 for 0.3, and
#        "1" 0.375 for 0.6. "negative" and "neutral" share the token "ne": 0.47 each, though 0.99 of it went to
#        "negative". Values of one token that don't begin alike are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distenum==0.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import math
from types import SimpleNamespace

from distenum import parse_using_schema_and_logprobs


def token(likely):
    """A token with the probabilities of what could stand there; the first is the one that was drawn."""
    top = [SimpleNamespace(token=text, logprob=math.log(chance)) for text, chance in likely.items()]
    return SimpleNamespace(token=top[0].token, logprob=top[0].logprob, top_logprobs=top)


def shares(values, *drawn):
    parts = [{'{"': 1}, {"label": 1}, {'":"': 1}, *drawn, {'"}': 1}]
    answer = SimpleNamespace(content=[token(likely) for likely in parts])
    schema = {"type": "object", "properties": {"label": {"type": "string", "enum": values}}}
    seen = parse_using_schema_and_logprobs(schema, answer)["label"]
    print(values, "of tokens", drawn, "have", {value: round(share, 3) for value, share in seen.items()})
    return [round(seen[value], 6) for value in values]


assert shares(["no", "yes"], {"no": 0.9, "yes": 0.1}) == [0.9, 0.1]
seen = shares(["1", "2", "10"], {"1": 0.6, "10": 0.3, "2": 0.1})
assert seen == [0.375, 0.0625, 0.5625], "the behaviour has changed"
values = ["positive", "negative", "neutral"]
seen = shares(values, {"ne": 0.9, "positive": 0.1}, {"gative": 0.99, "utral": 0.01})
assert seen == [0.052632, 0.473684, 0.473684], "the behaviour has changed"
PYTHON
