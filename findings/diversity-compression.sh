#!/usr/bin/env bash
# diversity 0.3.1: compression_ratio compresses twice.
#
# Guess: the ratio is the size of the text over its size after gzip.
# Seen:  the text is gzipped, and the result gzipped again: 159 instead of 179 for 14 KB, 72,000 instead of 514 for 14 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps diversity==0.3.1
"$folder/venv/bin/python" - <<'PYTHON'
import gzip, importlib.util, pathlib, site

# The package itself imports spaCy, torch and an API client; this module needs none of them.
file = pathlib.Path(site.getsitepackages()[0], "diversity/compression.py")
spec = importlib.util.spec_from_file_location("compression", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

for copies in (1_000, 1_000_000):
    texts = ["one two three"] * copies
    plain = " ".join(texts).encode()
    once = gzip.compress(plain)
    # The outer file's header holds the name of the file.
    twice = len(gzip.compress(once)) + len("compressed\0")
    seen = module.compression_ratio(texts)
    print(f"{len(plain)} bytes: gzip {len(plain) / len(once):.1f}, twice {len(plain) / twice:.1f}, the package {seen:.1f}")
    assert abs(seen / (len(plain) / twice) - 1) < 0.05, "the behaviour has changed"
    assert abs(seen / (len(plain) / len(once)) - 1) > 0.05, "the behaviour has changed"
PYTHON
