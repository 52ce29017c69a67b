#!/usr/bin/env bash
# onnxruntime 1.32.0: ArgMax and TopK name different tokens where a logit is NaN.
#
# Guess: ArgMax and TopK of 1 agree about a row with a NaN in it, both giving its place as NumPy does.
# Seen:  TopK gives the NaN's place. ArgMax passes it over and gives the largest number's, unless the
#        NaN comes first: then it is the NaN's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    onnxruntime==1.32.0 onnx==1.23.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import math

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

NODES = [
    helper.make_node("ArgMax", ["x"], ["argmax"], axis=-1, keepdims=0),
    helper.make_node("TopK", ["x", "one"], ["top", "top_id"]),
]


def look(row):
    """The place of the maximum by ArgMax, by TopK and by NumPy."""
    graph = helper.make_graph(
        NODES,
        "maxima",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, len(row)])],
        [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in ("argmax", "top_id")],
        [helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    row = np.array([row], np.float32)
    seen = [value.reshape(-1)[0].item() for value in session.run(None, {"x": row})]
    return *seen, int(row.argmax())


for length in (5, 100):
    for place in (0, 1, length - 1):
        row = [float(i) for i in range(length)]
        row[length // 2] = 1000
        row[place] = math.nan
        seen = look(row)
        print(length, "logits, NaN at", place, "| ArgMax, TopK, NumPy:", seen)
        expected = (length // 2 if place else 0, place, place)
        assert seen == expected, "the behaviour has changed"
PYTHON
