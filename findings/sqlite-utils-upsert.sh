#!/usr/bin/env bash
# sqlite-utils 4.2.1: in a list of upserts a row's missing fields become null.
#
# Guess: `upsert_all` does what `upsert` does for each row: fields that a row lacks stay as they
#        are.
# Seen:  alone a row that lacks `score` leaves it; beside another row that has one it sets it to
#        null, so what was measured is lost. In batches of one row it stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlite-utils==4.2.1
cat >"$folder/look.py" <<'PYTHON'
import sqlite_utils


def score(*rows, **options):
    table = sqlite_utils.Database(memory=True)["runs"]
    table.insert({"id": 1, "note": "a", "score": 0.5}, pk="id")
    table.upsert_all(rows, pk="id", **options)
    return table.get(1)["score"]


changed, other = {"id": 1, "note": "b"}, {"id": 2, "note": "c", "score": 0.75}
alone, beside, apart = score(changed), score(changed, other), score(changed, other, batch_size=1)
print("score of 0.5 behind an upsert without one:", alone, "beside another row:", beside, "in batches of one:", apart)
assert (alone, apart) == (0.5, 0.5)
assert beside is None, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
