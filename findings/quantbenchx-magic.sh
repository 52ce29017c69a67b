#!/usr/bin/env bash
# quantbenchx 0.3.0: no GGUF file is taken for one.
#
# Guess: profile_gguf reads the header of any GGUF file, and names each tensor's type as gguf does.
# Seen:  every file is refused as no GGUF file, since the letters "GUGF" are expected. Of a file that has them types are
#        looked up in a list of other ids: Q4_K is Q3_K_M, Q5_K Q3_K_L, Q6_K Q4_K_S, F64 BF16, BF16 unknown.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check quantbenchx==0.3.0 gguf==0.19.0 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from quantbenchx import QuantbenchError, profile_gguf

expected = {
    Type.Q4_0: ("Q4_0", 4.5),
    Type.Q8_0: ("Q8_0", 8.5),
    Type.Q3_K: ("Q3_K_S", 3.5),
    Type.Q4_K: ("Q3_K_M", 3.9),
    Type.Q5_K: ("Q3_K_L", 4.3),
    Type.Q6_K: ("Q4_K_S", 4.5),
    Type.F64: ("BF16", 16.0),
    Type.BF16: ("UNKNOWN", 16.0),
}
for kind, changed in expected.items():
    block, size = gguf.GGML_QUANT_SIZES[kind]
    writer = gguf.GGUFWriter("x.gguf", "llama")
    writer.add_tensor("blk.0.ffn_up.weight", np.zeros((1, 256 // block * size), np.uint8), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (right,) = gguf.GGUFReader("x.gguf").tensors
    assert right.tensor_type == kind and right.n_elements == 256
    bits = right.n_bytes * 8 / 256
    try:
        profile_gguf("x.gguf")
        refused = ""
    except QuantbenchError as error:
        refused = str(error)
    pathlib.Path("swapped.gguf").write_bytes(b"GUGF" + pathlib.Path("x.gguf").read_bytes()[4:])
    (tensor,) = profile_gguf("swapped.gguf").layers[0].tensors
    seen = tensor.dtype.name, tensor.bits_per_weight
    print(kind.name, "of", bits, "bits a weight:", refused, "| with the letters swapped:", *seen)
    assert refused.startswith("Not a GGUF file"), "the behaviour has changed"
    assert seen == changed, "the behaviour has changed"
PYTHON
