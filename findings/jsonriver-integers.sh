#!/usr/bin/env bash
# jsonriver 1.0.0 (Python): integers of a stream become floats.
#
# Guess: the last value that the parser gives for a whole document is the one that Python's json gives.
# Seen:  3 is 3.0, so it is no index of a list; 2^53 + 1 is 2^53, in silence. Text, lists and names are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jsonriver==1.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import json

import jsonriver


async def read(document, size):
    async def pieces():
        for at in range(0, len(document), size):
            yield document[at : at + size]

    value = None
    async for value in jsonriver.parse(pieces()):
        pass
    return value


cases = [
    ('{"text": "é\\n", "list": [0.5, null, true]}', True),
    ('{"choice": 3}', False),
    ('{"id": 9007199254740993}', False),
]
for document, same in cases:
    right = json.loads(document)
    for size in (1, 5, len(document)):
        seen = asyncio.run(read(document, size))
        print(document, "in pieces of", size, "json:", right, "jsonriver:", seen)
        assert (repr(seen) == repr(right)) == same, "the behaviour has changed"
seen = asyncio.run(read('{"id": 9007199254740993, "choice": 3}', 1))
assert type(seen["choice"]) is float and int(seen["id"]) == 2**53, "the behaviour has changed"
PYTHON
