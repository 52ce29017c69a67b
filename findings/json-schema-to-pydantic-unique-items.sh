#!/usr/bin/env bash
# json-schema-to-pydantic 0.5.0: a list of unique items loses its order.
#
# Guess: `uniqueItems` refuses a list with two equal elements, and leaves any other list as it is.
# Seen:  the field is a set: [3, 1, 1, 2] is taken and becomes 1, 2, 3. A ranking of texts comes back in another order
#        from run to run.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json-schema-to-pydantic==0.5.0 pydantic==2.14.4
"$folder/venv/bin/python" - <<'PYTHON'
import os
import subprocess
import sys

from json_schema_to_pydantic import create_model

schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
model = create_model({"title": "M", "type": "object", "properties": {"v": schema}, "required": ["v"]})
seen = model.model_validate({"v": [3, 1, 1, 2]})
print("[3, 1, 1, 2]:", repr(seen.v), seen.model_dump_json())
assert seen.v == {1, 2, 3}, "the behaviour has changed"
ranking = ["gamma", "alpha", "delta", "beta"]
program = f"""
from json_schema_to_pydantic import create_model
schema = {{"type": "array", "items": {{"type": "string"}}, "uniqueItems": True}}
model = create_model({{"title": "M", "type": "object", "properties": {{"v": schema}}, "required": ["v"]}})
print(model.model_validate({{"v": {ranking}}}).model_dump_json())
"""
orders = set()
for seed in range(4):
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True)
    orders.add(run.stdout.strip())
    print(ranking, "in run", seed, "becomes", run.stdout.strip())
assert len(orders) > 1, "the behaviour has changed"
PYTHON
