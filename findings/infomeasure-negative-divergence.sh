#!/usr/bin/env bash
# infomeasure 0.6.3: a divergence is negative where one set has values that the other lacks.
#
# Guess: kld of samples is 0 or more, and infinite, NaN or refused where q has no mass but p has.
# Seen:  half ones against no ones is -ln 2, closer than an equal set: values of p that q lacks are left
#        out, so sets that share nothing have 0. The other way around it is ln 2, as it should be.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    infomeasure==0.6.3 numpy==1.26.4
"$folder/venv/bin/python" - <<'PYTHON'
import math

import infomeasure

samples = {"equal": ([0, 0, 1, 1], [0, 0, 1, 1]), "q lacks 1": ([0, 0, 1, 1], [0, 0, 0, 0])}
samples["p lacks 1"] = samples["q lacks 1"][::-1]
samples["nothing shared"] = [0, 0, 0, 0], [1, 1, 1, 1]
seen = {}
for name, (p, q) in samples.items():
    seen[name] = float(infomeasure.kld(p, q, approach="discrete"))
    print(name, p, q, "divergence in nats:", round(seen[name], 4))
assert abs(seen["equal"]) < 1e-12 and abs(seen["p lacks 1"] - math.log(2)) < 1e-9, "the behaviour has changed"
assert abs(seen["q lacks 1"] + math.log(2)) < 1e-9, "the behaviour has changed"
assert abs(seen["nothing shared"]) < 1e-12, "the behaviour has changed"
PYTHON
