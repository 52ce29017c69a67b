#!/usr/bin/env bash
# ranx 0.3.21: an evaluation takes queries out of the caller's run.
#
# Guess: make_comparable=True compares copies, so what is measured next has all queries.
# Seen:  queries that the judgements don't have are deleted from the run itself: measured by all judgements later it
#        has 0.5 for 1, as the query that's gone counts as 0. A query whose judged documents are all relevant makes
#        bpref, and so its mean, NaN; pytrec-eval-terrier 0.5.11 has 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ranx==0.3.21 numpy==2.3.5 scipy==1.17.1 pandas==2.3.3 pytrec-eval-terrier==0.5.11
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import pytrec_eval
from ranx import Qrels, Run, evaluate

JUDGED = {"q1": {"a": 1, "b": 0}, "q2": {"c": 1}}
RANKED = {"q1": {"a": 0.9, "b": 0.5}, "q2": {"c": 0.8}}
both, first, run = Qrels(JUDGED), Qrels({"q1": JUDGED["q1"]}), Run(RANKED)
before = evaluate(both, run, "mrr", make_comparable=True)
evaluate(first, run, "mrr", make_comparable=True)
after = evaluate(both, run, "mrr", make_comparable=True)
print("MRR by all judgements:", before, "after one by those of q1:", after)
assert (before, after) == (1, 0.5), "the behaviour has changed"
seen = evaluate(both, Run(RANKED), "bpref")
right = pytrec_eval.RelevanceEvaluator(JUDGED, {"bpref"}).evaluate(RANKED)
print("bpref:", seen, "pytrec_eval:", right)
assert math.isnan(seen), "the behaviour has changed"
assert all(scores["bpref"] == 1 for scores in right.values())
PYTHON
