#!/usr/bin/env bash
# lm-eval 0.4.13: the answer "I think B" has no letter, and (D) is an answer to three options.
#
# Guess: multi_choice_regex finds the letter of an answer, as its description says: (B), the option's text, or B.
# Seen:  a bare letter is found behind a colon alone: "It is B", "B" and "B." are invalid, "answer: B" is (B).
#        (D) is passed on where three options are. Of "Both (A) and (B)" the first is taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps lm-eval==0.4.13
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 sacrebleu==2.6.0
"$folder/venv/bin/python" - <<'PYTHON'
from lm_eval.filters.extraction import MultiChoiceRegexFilter

find = MultiChoiceRegexFilter(regex_pattern=r"(\([A-Z]\))", ignore_case=True, ignore_punctuation=True)
cases = {
    "The answer is (B).": "(B)",
    "The answer is blue.": "(B)",
    "Answer: B": "(B)",
    "It is B": "[invalid]",
    "B": "[invalid]",
    "B.": "[invalid]",
    "(D)": "(D)",
    "Both (A) and (B)": "(A)",
}
for answer, expected in cases.items():
    [[seen]] = find.apply([[answer]], [{"choices": ["red", "blue", "green"]}])
    print(repr(answer), "is", seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
