#!/usr/bin/env bash
# exrex 0.12.0: what isn't a space, or isn't a digit, is the empty text.
#
# Guess: five characters of `\S` or `\D` are five characters, as they are of `\W` and `[^a]`.
# Seen:  both classes write nothing at all, so `id-\S{5}` gives `id-` each time, which doesn't match
#        the pattern that it was made for, and there is said to be one text of `\D`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check exrex==0.12.0
cat >"$folder/look.py" <<'PYTHON'
import re

import exrex

for pattern, right in (
    (r"id-\S{5}", False),
    (r"id-\D{5}", False),
    (r"id-\W{5}", True),
    (r"id-[^a]{5}", True),
    (r"id-\d{5}", True),
):
    texts = [exrex.getone(pattern) for _ in range(200)]
    matches = [re.fullmatch(pattern, text, re.DOTALL) is not None for text in texts]
    print(pattern, "gives", repr(texts[0]), "matches:", sum(matches), "of", len(matches))
    assert all(matches) if right else set(texts) == {"id-"}, "the behaviour has changed"
assert exrex.count(r"\D") == 1, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
