#!/usr/bin/env bash
# textdistance 4.6.3 (Python): a normalised similarity is neither 1 for equal texts nor 0 for unlike ones.
#
# Guess: normalized_similarity is 1 for equal texts, 0 for texts without a common letter, and never out
#        of that range, whatever the measure.
# Seen:  equal texts have -1.5 by arith_ncd, 0 by rle_ncd and by tanimoto; "abc" and "xyz" have 1 by
#        mlipns, 0.83 by bz2_ncd, -3 by arith_ncd and minus infinity by tanimoto.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check textdistance==4.6.3
"$folder/venv/bin/python" - <<'PYTHON'
import math

import textdistance

EXPECTED = {
    "levenshtein": (1, 0),
    "jaccard": (1, 0),
    "mlipns": (1, 1),
    "rle_ncd": (0, 0),
    "bz2_ncd": (0.957, 0.826),
    "arith_ncd": (-1.5, -3),
    "tanimoto": (0, -math.inf),
}
for name, expected in EXPECTED.items():
    measure = getattr(textdistance, name)
    seen = tuple(round(float(measure.normalized_similarity("abc", other)), 3) for other in ("abc", "xyz"))
    print(name, "of equal texts, of texts without a common letter:", seen)
    assert seen == expected, "the behaviour has changed"
PYTHON
