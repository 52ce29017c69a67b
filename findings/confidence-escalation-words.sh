#!/usr/bin/env bash
# confidence-escalation 0.3.0: "I am 99.5% confident" is a confidence of 0.05.
#
# Guess: a percentage in the answer is read as it stands, and words like "unsure" count against it.
# Seen:  only the digits in front of % are read: 99.5 is 5, so a sure answer goes to a human. "I'm unsure" and "This
#        ensures it" are 0.85, as "sure" is in them. With a tool risk of 0 the surest answer has 0.75, without one 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check confidence-escalation==0.3.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from confidence_escalation import ConfidenceScorer, MultiSignalConfidenceScorer

cases = {
    "I am 95% confident.": 0.95,
    "I am 99.5% confident.": 0.05,
    "I am not sure.": 0.35,
    "I'm unsure.": 0.85,
    "This ensures it.": 0.85,
}
for text, expected in cases.items():
    seen = ConfidenceScorer().score_from_verbalized(text).value
    print(text, seen)
    assert seen == expected, "the behaviour has changed"
sure = {"logprobs": [0.0], "verbalized_response": "I am 100% confident."}
for risk, expected in ((None, 1), (0.0, 0.75)):
    seen = MultiSignalConfidenceScorer().score(**sure, tool_call_risk=risk).value
    print("all signals sure, tool risk", risk, "score:", seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
