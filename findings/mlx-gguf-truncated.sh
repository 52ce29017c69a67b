#!/usr/bin/env bash
# mlx 0.32.4 (Python): a GGUF file with a tensor of MXFP4 in it loads up to that tensor.
#
# Guess: a type that mlx can't read is an error that names it, as for Q5_0, or that tensor is left out.
# Seen:  load returns the tensors in front of it, without an error or a warning; those behind it, of
#        float32, are missing too. The gguf package lists all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'mlx[cpu]==0.32.4' gguf==0.19.0 numpy==2.3.5
"$folder/venv/bin/python" - "$folder/x.gguf" <<'PYTHON'
import sys

import gguf
import mlx.core as mx
import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf.quants import quantize


def load(kind):
    """The names of three tensors, the second of a type, as mlx and gguf read the file."""
    numbers = np.arange(1024, dtype=np.float32).reshape(4, 256)
    file = gguf.GGUFWriter(sys.argv[1], "llama")
    file.add_tensor("first", numbers)
    file.add_tensor("second", quantize(numbers, kind), raw_dtype=kind)
    file.add_tensor("third", numbers)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    reader = [tensor.name for tensor in gguf.GGUFReader(sys.argv[1]).tensors]
    assert reader == ["first", "second", "third"], "the file has changed"
    try:
        return sorted(mx.load(sys.argv[1]))
    except RuntimeError as error:
        return str(error)


for kind in (Kind.BF16, Kind.Q5_0, Kind.MXFP4, Kind.TQ1_0):
    seen = load(kind)
    print(kind.name, "seen:", seen)
    if kind is Kind.BF16:
        assert seen == ["first", "second", "third"], "the behaviour has changed"
    elif kind is Kind.Q5_0:
        assert isinstance(seen, str), "the behaviour has changed"
    else:
        assert seen == ["first"], "the behaviour has changed"
PYTHON
