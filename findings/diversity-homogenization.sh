#!/usr/bin/env bash
# diversity 0.3.1: texts that share no word get the score of texts that are all the same.
#
# Guess: homogenization_score is 0 for texts without a common word, and 1 for equal ones.
# Seen:  both get 1.0; one shared word brings it down to 0.111; any Cyrillic texts get 1.0, as ROUGE drops their letters.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps diversity==0.3.1
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rouge-score==0.1.2 tqdm==4.67.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util, pathlib, site, sys, types

# The package itself imports spaCy, torch and an API client. This module needs none of them, and
# `evaluate` only for its other measures.
sys.modules["evaluate"] = types.SimpleNamespace(load=None)
file = pathlib.Path(site.getsitepackages()[0], "diversity/homogenization.py")
spec = importlib.util.spec_from_file_location("homogenization", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

texts = {
    "equal": ["a cat sat", "a cat sat", "a cat sat"],
    "one word shared by two": ["a cat sat", "the cat runs", "birds fly high"],
    "nothing shared": ["a cat sat", "the dog runs", "birds fly high"],
    "nothing shared, Cyrillic": ["кот сидит дома", "собака бежит быстро"],
}
seen = {name: module.homogenization_score(data, verbose=False) for name, data in texts.items()}
print("ROUGE-L homogenization:", seen)
expected = {"equal": 1.0, "one word shared by two": 0.111, "nothing shared": 1.0, "nothing shared, Cyrillic": 1.0}
assert seen == expected, "the behaviour has changed"
PYTHON
