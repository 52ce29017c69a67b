#!/usr/bin/env bash
# gguf-parser 0.1.1: load_tensors gives the letters of "GGUF".
#
# Guess: a matrix of 2 by 3 float32 comes as its 24 bytes, from where the file's data begin.
# Seen:  two bytes, as it has two dimensions, read from the file's beginning, as offsets are taken for places in the
#        file: "GG". A vector of 40 is one byte of the header.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gguf-parser==0.1.1 gguf==0.19.0 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import gguf
import numpy as np
from gguf_parser import GGUFParser

matrix, vector = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(40, np.float32)
writer = gguf.GGUFWriter("x.gguf", "llama")
writer.add_tensor("matrix", matrix)
writer.add_tensor("vector", vector)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
right = [tensor.data.tobytes() for tensor in gguf.GGUFReader("x.gguf").tensors]
assert right == [matrix.tobytes(), vector.tobytes()]
parser = GGUFParser("x.gguf")
parser.parse()
seen = parser.load_tensors()
for info, good, data in zip(parser.tensors_info, right, seen):
    print(info["name"], info["dimensions"], "bytes in the file:", len(good), "gguf-parser:", data)
header = open("x.gguf", "rb").read(64)
assert seen == [b"GG", header[32:33]], "the behaviour has changed"
PYTHON
