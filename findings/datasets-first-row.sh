#!/usr/bin/env bash
# datasets 5.2.0: a field that the first row hasn't is dropped from all rows.
#
# Guess: from_list gives every field that a row has, with None where it is missing, as pandas and polars
#        do and as it does inside a nested object.
# Seen:  the columns are the first row's, and scores of later rows are gone without a warning. A field
#        that the first row has and later ones haven't is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import pandas as pd
from datasets import Dataset

first, second = {"text": "a"}, {"text": "b", "score": 0.5}
seen = Dataset.from_list([first, second])[:]
print("rows without and with a score:", seen)
assert seen == {"text": ["a", "b"]}, "the behaviour has changed"
assert list(pd.DataFrame([first, second])) == ["text", "score"], "pandas has changed"
seen = Dataset.from_list([second, first])[:]
print("the other way round:", seen)
assert seen == {"text": ["b", "a"], "score": [0.5, None]}, "the behaviour has changed"
seen = Dataset.from_list([{"row": first}, {"row": second}])[:]
print("nested:", seen)
nested = [{"text": "a", "score": None}, {"text": "b", "score": 0.5}]
assert seen == {"row": nested}, "the behaviour has changed"
PYTHON
