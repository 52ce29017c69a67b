"""A tiny OpenVINO model of known logits: for the openvino scripts here."""

import json

import numpy as np
import openvino as ov
import openvino_genai as genai
from openvino import opset13 as op


def pipeline(folder, logits):
    """A model that gives every next token these logits, with a state that it ignores."""
    inputs = []
    for name in ("input_ids", "attention_mask", "position_ids", "beam_idx"):
        beam = name == "beam_idx"
        inputs.append(op.parameter([-1] if beam else [-1, -1], ov.Type.i32 if beam else ov.Type.i64))
        inputs[-1].output(0).get_tensor().set_names({name})
    ids, mask, positions, beams = inputs
    first, one, axis = op.constant(np.int64(0)), op.constant(np.array([1])), op.constant(np.array([2]))
    rows = op.gather(op.constant(np.tile(logits, (len(logits), 1))), ids, first)
    used = op.add(positions, op.reduce_sum(mask, one, keep_dims=True))
    used = op.multiply(op.convert(used, "f32"), op.constant(np.float32(0)))
    batch = op.gather(op.shape_of(ids), op.constant(np.array([0])), first)
    empty = op.broadcast(op.constant(np.float32(0)), op.concat([batch, one], 0))
    state = op.gather(op.read_value(empty, "state"), beams, first)
    result = op.result(op.add(rows, op.unsqueeze(used, axis)))
    result.output(0).get_tensor().set_names({"logits"})
    model = ov.Model([result], [op.assign(state, "state")], inputs, "model")
    ov.save_model(model, f"{folder}/openvino_model.xml", compress_to_fp16=False)
    for name in ("config.json", "generation_config.json"):
        with open(f"{folder}/{name}", "w") as file:
            json.dump({"model_type": "llama", "eos_token_id": len(logits) - 1}, file)
    return genai.LLMPipeline(folder, "CPU", ATTENTION_BACKEND="SDPA")


def texts(pipe, rows=1, **settings):
    """Draws six tokens behind a prompt of one token, for so many equal rows of one batch."""
    config = genai.GenerationConfig(max_new_tokens=6, ignore_eos=True, do_sample=True, **settings)
    ids, mask = np.full((rows, 1), 5, np.int64), np.ones((rows, 1), np.int64)
    prompt = genai.TokenizedInputs(ov.Tensor(ids), ov.Tensor(mask))
    return [list(row) for row in pipe.generate(prompt, config).tokens]
