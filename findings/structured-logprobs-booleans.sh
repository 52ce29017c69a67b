#!/usr/bin/env bash
# structured-logprobs 0.1.5: `true` becomes null.
#
# Guess: add_logprobs_inline gives the document back with a log-probability for each value.
# Seen:  true and false become null, and have no log-probability in add_logprobs either, though a yes or no is what
#        it's for. A line break becomes a backslash and n, a quotation mark gets a backslash, and the integer
#        9007199254740993 becomes 9007199254740992.0. Other numbers, strings and their log-probabilities are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    structured-logprobs==0.1.5 openai==1.58.1 lark==1.2.2 pydantic==2.10.6
"$folder/venv/bin/python" - <<'PYTHON'
import json

from openai.types.chat import ChatCompletion
from structured_logprobs.main import add_logprobs, add_logprobs_inline

TOKENS = ['{"', "safe", '":', "true", ',"', "text", '":"', "a", "\\n", "b", " \\", '"', '","', "id", '":']
TOKENS += ["9007", "199", "254", "740", "993", ',"', "score", '":', "0.5", "}"]


def answer():
    logprobs = [{"token": token, "logprob": -0.25, "bytes": None, "top_logprobs": []} for token in TOKENS]
    message = {"role": "assistant", "content": "".join(TOKENS)}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": logprobs}}
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return ChatCompletion.model_validate(whole)


asked = json.loads(answer().choices[0].message.content)
seen = json.loads(add_logprobs_inline(answer()).choices[0].message.content)
apart = add_logprobs(answer()).log_probs[0]
print("the document:", asked)
print("with log-probabilities:", seen)
print("apart:", apart)
assert asked == {"safe": True, "text": 'a\nb "', "id": 9007199254740993, "score": 0.5}
assert seen["safe"] is None and "safe_logprob" not in seen and apart["safe"] is None, "the behaviour has changed"
assert seen["text"] == 'a\\nb \\"' and seen["id"] == 9007199254740992, "the behaviour has changed"
assert seen["score"] == 0.5 and apart["score"] == seen["score_logprob"] == -0.25
PYTHON
