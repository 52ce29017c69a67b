#!/usr/bin/env bash
# arithmetic-compressor 0.2: a token of probability 1 in 10,000 can't be encoded.
#
# Guess: a model of two tokens encodes both, the unlikely one in -log2 p bits: 13 for 1 in 10,000.
# Seen:  at 1 in 1,000 it is encoded and decoded; at 1 in 10,000 its frequency is refused as zero, and so are
#        40,000 equal tokens, fewer than vocabularies have. 5,000 equal tokens work.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    arithmetic-compressor==0.2
"$folder/venv/bin/python" - <<'PYTHON'
from arithmetic_compressor import AECompressor
from arithmetic_compressor.models import StaticModel


def tried(probabilities, text):
    coder = AECompressor(StaticModel(probabilities))
    try:
        bits = coder.compress(text)
    except ValueError as error:
        return str(error)
    assert coder.decompress(bits, len(text)) == text
    return len(bits)


cases = {
    "1 in 1,000": ({"a": 0.999, "b": 0.001}, ["a", "a", "b"]),
    "1 in 10,000": ({"a": 0.9999, "b": 0.0001}, ["a", "a", "b"]),
    "5,000 equal": ({token: 1 / 5000 for token in range(5000)}, list(range(100))),
    "40,000 equal": ({token: 1 / 40000 for token in range(40000)}, list(range(100))),
}
seen = {name: tried(*case) for name, case in cases.items()}
print(seen)
assert isinstance(seen["1 in 1,000"], int) and isinstance(seen["5,000 equal"], int), "the behaviour has changed"
for name in ("1 in 10,000", "40,000 equal"):
    assert seen[name] == "Symbol has zero frequency", "the behaviour has changed"
PYTHON
