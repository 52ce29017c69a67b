#!/usr/bin/env bash
# arviz 0.23.4, blackjax 1.7.1: chains that never moved have all effective draws, or none.
#
# Guess: four chains of 1,000 equal draws have an effective size of NaN, as R-hat has.
# Seen:  arviz gives 4,000, as many as there are draws, with a standard error of 0, beside an R-hat of NaN;
#        blackjax gives 0. A metric that says the same of every text looks perfectly sampled.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    arviz==0.23.4 blackjax==1.7.1 jax==0.10.2 numpy==2.3.5
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import arviz
import blackjax.diagnostics
import numpy as np

chains = np.ones((4, 1000))
sizes = {method: float(arviz.ess(chains, method=method)) for method in ("bulk", "tail", "mean")}
error, rhat = float(arviz.mcse(chains)), float(arviz.rhat(chains))
other = float(blackjax.diagnostics.effective_sample_size(chains))
print("arviz: effective size", sizes, "standard error", error, "R-hat", rhat)
print("blackjax: effective size", other)
assert set(sizes.values()) == {4000.0} and error == 0 and np.isnan(rhat), "the behaviour has changed"
assert other == 0, "the behaviour has changed"
PYTHON
