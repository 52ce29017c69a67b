#!/usr/bin/env bash
# mlx-lm 0.32.2 with mlx 0.32.4 (Python): a window of 0 tokens penalises the whole text, in place.
#
# Guess: repetition_context_size=0 looks at no token; a processor leaves the logits that it gets alone
#        and returns others, as the arrays of such libraries are values.
# Seen:  0 looks at all tokens, 1 at the last. The caller's logits are changed: asked twice about one
#        row, a processor penalises it twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'mlx[cpu]==0.32.4' numpy==2.3.5
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps mlx-lm==0.32.2
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util
import pathlib
import site

import mlx.core as mx

# The package itself imports transformers; this module needs it not.
file = pathlib.Path(site.getsitepackages()[0], "mlx_lm/sample_utils.py")
spec = importlib.util.spec_from_file_location("sample_utils", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

tokens = mx.array([0, 1, 2])
seen = {}
for window in (0, 1, 2, 20):
    logits = mx.array([[4.0, 4.0, 4.0, 4.0]])
    (penalty,) = module.make_logits_processors(repetition_penalty=2.0, repetition_context_size=window)
    seen[window] = penalty(tokens, logits).tolist()[0]
    print("window of", window, "behind tokens 0 1 2:", seen[window], "the caller's row:", logits.tolist()[0])
    assert logits.tolist()[0] == seen[window], "the behaviour has changed"
twice = penalty(tokens, logits).tolist()[0]
print("asked again:", twice)
assert seen[0] == seen[20] == [2, 2, 2, 4] and seen[1] == [4, 4, 2, 4], "the behaviour has changed"
assert twice == [1, 1, 1, 4], "the behaviour has changed"
PYTHON
