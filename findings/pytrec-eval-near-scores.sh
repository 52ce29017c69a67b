#!/usr/bin/env bash
# pytrec-eval-terrier 0.5.11: scores that differ in the ninth digit are ties, and the later name wins.
#
# Guess: documents are ranked by their scores, which are Python's floats.
# Seen:  they're compared as float32: -250.00001 doesn't come before -250.00002, so log-probabilities of texts that
#        differ little are ranked by name, backwards: z before a. A document that is ahead has a reciprocal rank
#        of 0.5, one that is behind 1. ir-measures 0.4.3 ranks by the same library.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pytrec-eval-terrier==0.5.11 ir-measures==0.4.3 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import ir_measures
import pytrec_eval
from ir_measures import RR


def rank(right, scores):
    truth = {"q": {right: 1}}
    seen = pytrec_eval.RelevanceEvaluator(truth, {"recip_rank"}).evaluate({"q": scores})["q"]["recip_rank"]
    assert ir_measures.calc_aggregate([RR], truth, {"q": scores})[RR] == seen
    print("right:", right, "scores:", scores, "reciprocal rank:", seen)
    return seen


near = {"a": -250.00001, "z": -250.00002}
assert rank("a", near) == 0.5 and rank("z", near) == 1, "the behaviour has changed"
apart = {"a": -250.001, "z": -250.002}
assert rank("a", apart) == 1 and rank("z", apart) == 0.5
PYTHON
