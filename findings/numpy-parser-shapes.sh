#!/usr/bin/env bash
# numpy-parser 1.2.3 (npm): a vector of five is read as 5 times 1.
#
# Guess: an .npy file's shape is what NumPy says, and a type that can't be read is refused, as float16 and int64 are.
# Seen:  (5,) is [5, 1]; (2, 3) and () are right. Texts are read as 16-bit numbers: of ["ab", "c"] eight numbers
#        with the shape [2, 1].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    numpy-parser@1.2.3
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np

arrays = {
    "vector": np.arange(5, dtype=np.float32),
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "number": np.array(3.5, np.float32),
    "texts": np.array(["ab", "c"]),
}
for name, array in arrays.items():
    print(name, "as NumPy writes it:", array.shape, array.dtype)
    np.save(f"{sys.argv[1]}/{name}.npy", array)
PYTHON
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { fromArrayBuffer } = require("numpy-parser");

const expected = { vector: [[5, 1], 5], matrix: [[2, 3], 6], number: [[], 1], texts: [[2, 1], 8] };
for (const [name, [shape, count]] of Object.entries(expected)) {
    const bytes = new Uint8Array(readFileSync(join(__dirname, `${name}.npy`)));
    const seen = fromArrayBuffer(bytes.buffer);
    console.log(name, "as it's read:", seen.shape, [...seen.data].join());
    assert.deepStrictEqual([seen.shape, seen.data.length], [shape, count], "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
