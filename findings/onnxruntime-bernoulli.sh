#!/usr/bin/env bash
# onnxruntime 1.32.0: the operator Bernoulli draws the opposite of what it is asked for.
#
# Guess: an input of 0.9 gives 1 in nine of ten draws, as ONNX defines it and its reference does.
# Seen:  in one of ten. A probability of 0 gives nothing but ones, one of 1 nothing but zeros, with a
#        seed and without, in float32, float64 and float16.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    onnxruntime==1.32.0 onnx==1.23.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

KINDS = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE, np.float16: TensorProto.FLOAT16}
COUNT = 20_000


def shares(kind, probability, **seed):
    """The share of ones that the runtime draws, and that ONNX's own reference draws."""
    graph = helper.make_graph(
        [helper.make_node("Bernoulli", ["p"], ["drawn"], **seed)],
        "bernoulli",
        [helper.make_tensor_value_info("p", KINDS[kind], [COUNT])],
        [helper.make_tensor_value_info("drawn", KINDS[kind], [COUNT])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    inputs = {"p": np.full(COUNT, probability, kind)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    engines = session, ReferenceEvaluator(model)
    return [float(engine.run(None, inputs)[0].astype(np.float64).mean()) for engine in engines]


for kind in KINDS:
    for probability in (0.0, 0.1, 0.5, 0.9, 1.0):
        for seed in ({"seed": 1.0}, {}):
            runtime, reference = shares(kind, probability, **seed)
            print(kind.__name__, probability, "seen:", runtime, "reference:", reference)
            assert abs(reference - probability) < 0.02, "the reference has changed"
            assert abs(runtime - (1 - probability)) < 0.02, "the behaviour has changed"
PYTHON
