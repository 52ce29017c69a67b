"""A tiny ONNX decoder of known probabilities: for the scripts here that run one."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEAD = 8


def write(path, probabilities):
    """A model that gives every next token these probabilities, with a cache that it ignores."""
    size, info = len(probabilities), helper.make_tensor_value_info
    kinds = ("key", "value")
    past = [f"past_key_values.0.{kind}" for kind in kinds]
    present = [f"present.0.{kind}" for kind in kinds]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["logits"], axis=0),
        helper.make_node("Cast", ["input_ids"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["as_float", "axes"], ["four"]),
        helper.make_node("Mul", ["four", "zeros"], ["new"]),
    ]
    nodes += [helper.make_node("Concat", [a, "new"], [b], axis=2) for a, b in zip(past, present)]
    constants = {
        "table": np.tile(np.log(probabilities), (size, 1)).astype(np.float32),
        "axes": np.array([1, 3]),
        "zeros": np.zeros(HEAD, np.float32),
    }

    def cache(names, length):
        return [info(name, TensorProto.FLOAT, ["b", 1, length, HEAD]) for name in names]

    ids = info("input_ids", TensorProto.INT64, ["b", "s"])
    mask = info("attention_mask", TensorProto.INT64, ["b", "t"])
    logits = info("logits", TensorProto.FLOAT, ["b", "s", size])
    graph = helper.make_graph(
        nodes,
        "model",
        [ids, mask] + cache(past, "p"),
        [logits] + cache(present, "t"),
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
