#!/usr/bin/env bash
# lecore-bm25 0.2.1: a question in Russian or Japanese finds nothing, C++ is no word.
#
# Guess: words of any language are words, so a text that holds the question's words is found.
# Seen:  words are runs of two or more of the letters a to z and digits: "привет", "日本語", "C++", "C#" and "3.5" are no
#        words, so every text has a score of 0 and the ranking is the texts' order; "café" is "caf", which finds
#        "caf". English words are found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lecore-bm25==0.2.1 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
from lecore_bm25 import BM25, tokenize

TEXTS = ["weather report", "the cat on the mat", "привет, мир", "日本語の本", "a manual of C++", "version 3.5", "caf 7"]
words = {text: tokenize(text) for text in TEXTS}
print("words:", words)
index = BM25(TEXTS)
cases = {"cat": 1, "привет": None, "日本語": None, "C++": None, "3.5": None, "café": 6}
for question, expected in cases.items():
    scores = [float(score) for score in index.scores(question)]
    found = [place for place, score in enumerate(scores) if score > 0]
    print(question, "finds", [TEXTS[place] for place in found])
    assert found == ([] if expected is None else [expected]), "the behaviour has changed"
PYTHON
