#!/usr/bin/env bash
# json-repair 0.64.6 (Python): an object is a list while its first name is being written.
#
# Guess: every beginning of an object is an object, as with stream_stable=True each answer goes on from
#        the one before.
# Seen:  from the first letter of the first name to its closing quotation mark it is a list that holds
#        the name, with the option and without; later names are left out until they have a colon.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json-repair==0.64.6
"$folder/venv/bin/python" - <<'PYTHON'
import json_repair

whole = '{"name": "Ann", "age": 5}'
kinds = {}
for end in range(1, len(whole) + 1):
    text = whole[:end]
    seen = json_repair.loads(text), json_repair.loads(text, stream_stable=True)
    print(text, "seen:", seen[0], "stream_stable:", seen[1])
    kinds[text] = [type(value) for value in seen]
lists = [text for text, pair in kinds.items() if pair == [list, list]]
assert lists == ['{"n', '{"na', '{"nam', '{"name', '{"name"'], "the behaviour has changed"
assert all(pair == [dict, dict] for text, pair in kinds.items() if text not in lists)
PYTHON
