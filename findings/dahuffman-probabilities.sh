#!/usr/bin/env bash
# dahuffman 0.4.2: probabilities and counts of the same tokens give other codes.
#
# Guess: a code needs no more than how often tokens come, so 0.9 and 0.1 give the code of 900 and 100.
# Seen:  the mark of the end is added as if it had come once. Beside probabilities it is the commonest token:
#        it gets the code of one bit, and the token of 0.9 two. 800 of it take 200 bytes instead of 100.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    dahuffman==0.4.2
"$folder/venv/bin/python" - <<'PYTHON'
from dahuffman import HuffmanCodec

seen = {}
for name, scale in (("probabilities", 1), ("counts", 1000)):
    codec = HuffmanCodec.from_frequencies({262: 0.9 * scale, 257: 0.1 * scale})
    text = [262] * 800
    encoded = codec.encode(text)
    assert codec.decode(encoded) == text
    bits = {str(token): length for token, (length, _) in codec.get_code_table().items()}
    seen[name] = bits["262"], len(encoded)
    print(name, "bits of each token:", bits, "bytes of 800 times the likely one:", len(encoded))
assert seen["probabilities"] == (2, 200), "the behaviour has changed"
assert seen["counts"] == (1, 100), "the behaviour has changed"
PYTHON
