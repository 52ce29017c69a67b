#!/usr/bin/env bash
# mlx 0.32.4 (Python): random integers of a wide range are hardly ever odd.
#
# Guess: randint(0, 200,000,000) gives each row of a data set alike, randint(2^24, 2^24 + 8) eight
#        numbers.
# Seen:  they're drawn as float32: of the first 4 % are odd instead of 50 %, and of the second five
#        numbers come, the even ones and 2^24 + 7.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'mlx[cpu]==0.32.4'
"$folder/venv/bin/python" - <<'PYTHON'
import mlx.core as mx

mx.set_default_device(mx.cpu)


def draw(low, high):
    return mx.random.randint(low, high, shape=(200_000,), key=mx.random.key(1)).tolist()


odd = {}
for high in (1_000_000, 20_000_000, 200_000_000, 2_000_000_000):
    odd[high] = sum(i % 2 for i in draw(0, high)) / 200_000
    print("below", high, "odd:", odd[high])
near = sorted({i - 2**24 for i in draw(2**24, 2**24 + 8)})
print("2^24 plus", near)
assert abs(odd[1_000_000] - 0.5) < 0.01, "the behaviour has changed"
assert odd[200_000_000] < 0.06 and odd[2_000_000_000] < 0.01, "the behaviour has changed"
assert near == [0, 2, 4, 6, 7], "the behaviour has changed"
PYTHON
