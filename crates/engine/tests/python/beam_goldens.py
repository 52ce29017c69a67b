"""transformers' beam search and diverse beam search on logits that are a function of ids, as JSON.

    python crates/engine/tests/python/beam_goldens.py beam > crates/engine/tests/goldens/beam.json
    python crates/engine/tests/python/beam_goldens.py diverse > crates/engine/tests/goldens/diverse_beam.json

The logits after a text depend on its last two tokens alone, in 24-bit steps that f32 holds exactly, so
that `it/search/` computes equal ones. `beam` was made with transformers 5.24.0 and torch 2.15.0.
Diverse beam search left transformers with version 5: `diverse` was made with transformers 4.52.4 and
torch 2.15.0. Neither is a requirement of `./check`: torch has gigabytes.

A group of diverse beams that has ended is fed the pad token, which its penalty then counts. Here the
pad token is so unlikely that no group ever chooses it.
"""

import itertools
import json
import sys

import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

PAD_LOGIT = -60.0


def mixed(x):
    """A 32-bit finalizer (that of MurmurHash3)."""
    x &= 0xFFFFFFFF
    x = (x ^ (x >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ (x >> 16)


def logit(seed, before, last, token):
    h = mixed(mixed(mixed(mixed(seed) ^ before) ^ last) ^ token)
    return (h >> 8) / 2.0**21 - 4.0


def row(case, before, last):
    xs = [logit(case["seed"], before, last, token) for token in range(case["vocab"])]
    for token in case["end_tokens"]:
        xs[token] += case["end_bias"]
    xs[case["vocab"] - 1] = PAD_LOGIT
    return xs


class Config(PretrainedConfig):
    model_type = "of_ids"


class OfIds(PreTrainedModel, GenerationMixin):
    config_class = Config

    def __init__(self, config, case):
        super().__init__(config)
        self.case, self.rows = case, {}
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def of(self, before, last):
        if (before, last) not in self.rows:
            self.rows[before, last] = torch.tensor(row(self.case, before, last), dtype=torch.float32)
        return self.rows[before, last]

    def forward(self, input_ids, attention_mask=None, **_):
        last = torch.stack([self.of(*ids[-2:].tolist()) for ids in input_ids])
        return CausalLMOutput(logits=last[:, None, :])

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **_):
        return {"input_ids": input_ids}


def run(case):
    config = Config(vocab_size=case["vocab"], is_encoder_decoder=False)
    model = OfIds(config, case).eval()
    how = {
        "num_beams": case["beams"],
        "num_return_sequences": case["beams"],
        "max_new_tokens": case["max_tokens"],
        "length_penalty": case["length_penalty"],
        "early_stopping": case["early_stopping"],
        "eos_token_id": case["end_tokens"] or None,
        "pad_token_id": case["vocab"] - 1,
        "do_sample": False,
        "use_cache": False,
        "return_dict_in_generate": True,
        "output_scores": True,
    }
    if case.get("groups", 1) > 1:
        how |= {"num_beam_groups": case["groups"], "diversity_penalty": case["diversity_penalty"]}
    prompt = torch.tensor([case["prompt"]])
    with torch.no_grad():
        out = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), generation_config=GenerationConfig(**how)
        )
    found = []
    for ids, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        ids = [token for token in ids[len(case["prompt"]) :] if token != case["vocab"] - 1]
        found.append({"tokens": ids, "score": score})
    return case | {"found": found}


def beam_cases():
    lengths = [1, 2, 7, 24]
    penalties = [-1.0, 0.0, 0.5, 1.0, 2.0]
    stops = [True, False, "never"]
    ways = itertools.product([2, 3, 4, 8], lengths, penalties, stops)
    for i, (beams, max_tokens, penalty, stop) in enumerate(ways):
        n_ends = mixed(i) % 3
        yield {
            "seed": 100 + i,
            "vocab": 29,
            "prompt": [3, 5 + i % 7],
            "beams": beams,
            "max_tokens": max_tokens,
            "length_penalty": penalty,
            "early_stopping": stop,
            "end_tokens": [2, 7][:n_ends],
            "end_bias": [0.0, 1.5, 3.0, -1.0][mixed(i + 1000) % 4],
        }


def diverse_cases():
    penalties = [0.0, 1.0, 1.5]
    stops = [True, False, "never"]
    shapes = [(2, 2), (4, 2), (6, 3), (6, 2), (8, 4), (3, 3)]
    ways = itertools.product(shapes, [1, 6, 14], penalties, stops)
    for i, ((beams, groups), max_tokens, penalty, stop) in enumerate(ways):
        yield {
            "seed": 900 + i,
            "vocab": 29,
            "prompt": [4, 5 + i % 7],
            "beams": beams,
            "groups": groups,
            "diversity_penalty": [0.25, 1.0, 5.0][mixed(i + 2000) % 3],
            "max_tokens": max_tokens,
            "length_penalty": penalty,
            "early_stopping": stop,
            "end_tokens": [2, 7][: mixed(i) % 3],
            "end_bias": [0.0, 1.5, 3.0, -1.0][mixed(i + 1000) % 4],
        }


def main():
    cases = {"beam": beam_cases, "diverse": diverse_cases}[sys.argv[1]]()
    made = [json.dumps(run(case)) for case in cases]
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    print('{"made_with": ' + json.dumps(versions) + ', "cases": [\n' + ",\n".join(made) + "\n]}")


main()
