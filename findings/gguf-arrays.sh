#!/usr/bin/env bash
# gguf 0.19.0 (Python): empty and nested arrays do not come back.
#
# Guess: an empty array is written with no elements, and an array of arrays is read back as one.
# Seen:  an empty array leaves no key in the file, without a word; contents() of [[1, 2], [3]] is [1, 2, 3].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0
"$folder/venv/bin/python" - <<'PYTHON'
import os
import tempfile

import gguf
import numpy as np


def read_back(value):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.gguf")
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_array("test.array", value)
        writer.add_tensor("x", np.zeros(32, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        field = gguf.GGUFReader(path).fields.get("test.array")
        return None if field is None else (field.contents(), [of.name for of in field.types])


seen = [read_back(value) for value in ([7], [], [[1, 2], [3]])]
print("[7], [] and [[1, 2], [3]] come back as", seen)
assert seen == [
    ([7], ["ARRAY", "INT32"]),
    None,
    ([1, 2, 3], ["ARRAY", "ARRAY", "INT32"]),
], "the behaviour has changed"
PYTHON
