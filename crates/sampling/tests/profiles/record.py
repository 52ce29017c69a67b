"""Records what transformers' and vLLM's own code makes of a few rows of logits, for the test beside this file.

Run once in a throw-away environment; the test reads what was written and needs neither:

    pip install torch==2.15.0 transformers==5.24.0
    pip download vllm==0.33.0 --no-deps && unzip vllm-*.whl 'vllm/*' -d vllm-files
    python record.py vllm-files > recorded.tsv

transformers builds its chain itself (`_get_logits_processor`), so order and defaults are its own. vLLM can't be imported without a
GPU, so the functions of its sampler are taken out of its files and called in the order of its `Sampler.forward`.
"""

import ast
import pathlib
import sys
import types

import torch
import transformers
from transformers import GenerationConfig
from transformers.generation.utils import GenerationMixin

# Multiples of 2^-6, with ties; "flat" has all within 3 nats.
ROWS = {
    "model": [((i * 37) % 48) * 0.28125 - 4 + (5 if i == 11 else 0) for i in range(48)],
    "flat": [((i * 29) % 40) * 0.078125 for i in range(40)],
    "tied": [float((i * 7) % 6) for i in range(36)],
}
PROMPT, OUTPUT = [3, 5, 3, 11, 20], [5, 7, 5, 11, 3, 5]

# The stages as Kelvin writes them, and the engine's own settings for them.
TRANSFORMERS = [
    ("", {}),
    ("top_k=0", {"top_k": 0}),
    ("temp=0.7", {"temperature": 0.7}),
    ("temp=1.5 | top_p=0.9", {"temperature": 1.5, "top_p": 0.9}),
    ("top_k=5", {"top_k": 5}),
    ("top_k=5 | top_p=0.5", {"top_k": 5, "top_p": 0.5}),
    ("min_p=0.1 | temp=2", {"min_p": 0.1, "temperature": 2.0}),
    ("typical=0.6", {"typical_p": 0.6}),
    ("epsilon=0.01", {"epsilon_cutoff": 0.01}),
    ("eta=0.02", {"eta_cutoff": 0.02}),
    ("top_h=0.4 | temp=1.2", {"top_h": 0.4, "temperature": 1.2}),
    ("repetition=1.3", {"repetition_penalty": 1.3}),
    ("no_repeat_ngram=2", {"no_repeat_ngram_size": 2}),
    ("bias=3:2,11:-4", {"sequence_bias": [[[3], 2.0], [[11], -4.0]]}),
    (
        "repetition=1.2 | temp=1.4 | top_k=20 | top_p=0.9 | min_p=0.02 | typical=0.9 | epsilon=0.003 | eta=0.004",
        {"repetition_penalty": 1.2, "temperature": 1.4, "top_k": 20, "top_p": 0.9, "min_p": 0.02, "typical_p": 0.9,
         "epsilon_cutoff": 0.003, "eta_cutoff": 0.004},
    ),
]
VLLM = [
    ("", {}),
    ("temp=0.7", {"temperature": 0.7}),
    ("temp=0.005", {"temperature": 0.005}),
    ("temp=0.000001", {"temperature": 0.000001}),
    ("top_k=5", {"top_k": 5}),
    ("top_p=0.8 | temp=1.5", {"top_p": 0.8, "temperature": 1.5}),
    ("top_k=9 | top_p=0.5", {"top_k": 9, "top_p": 0.5}),
    ("min_p=0.1 | temp=2", {"min_p": 0.1, "temperature": 2.0}),
    ("repetition=1.3", {"repetition_penalty": 1.3}),
    ("frequency=0.5", {"frequency_penalty": 0.5}),
    ("presence=0.75", {"presence_penalty": 0.75}),
    ("bias=3:2,11:-4", {"logit_bias": {3: 2.0, 11: -4.0}}),
    (
        "bias=3:2 | repetition=1.2 | frequency=0.25 | presence=0.5 | temp=1.4 | min_p=0.05 | top_k=20 | top_p=0.9",
        {"logit_bias": {3: 2.0}, "repetition_penalty": 1.2, "frequency_penalty": 0.25, "presence_penalty": 0.5,
         "temperature": 1.4, "min_p": 0.05, "top_k": 20, "top_p": 0.9},
    ),
]


class Bare(GenerationMixin):
    """A model that is nothing but its generation."""

    config = types.SimpleNamespace(is_encoder_decoder=False)
    device = "cpu"


def by_transformers(row, settings):
    # What `generate` takes where nothing is asked for.
    defaults = GenerationConfig._get_default_generation_params()
    config = GenerationConfig(**{**defaults, "do_sample": True, **settings})
    processors = Bare()._get_logits_processor(config, input_ids_seq_length=len(PROMPT), device="cpu")
    ids = torch.tensor([PROMPT + OUTPUT])
    return processors(ids, torch.tensor([row], dtype=torch.float32)).softmax(-1)[0]


def take(path, *names):
    """Functions of a file without what else it imports."""
    tree = ast.parse(path.read_text())
    scope = {"torch": torch, "Sequence": list, "Callable": object}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in names and node.name not in scope:
            node.decorator_list, node.returns = [], None
            for argument in node.args.args:
                argument.annotation = None
            exec(compile(ast.Module([node], []), str(path), "exec"), scope)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("_SAMPLING_EPS", "_MAX_TEMP"):
            exec(compile(ast.Module([node], []), str(path), "exec"), scope)
    return types.SimpleNamespace(**scope)


def load_vllm(root):
    root = pathlib.Path(root) / "vllm"
    customs = take(root / "_custom_ops.py", "apply_repetition_penalties_torch")
    module = types.ModuleType("vllm._custom_ops")
    module.apply_repetition_penalties = customs.apply_repetition_penalties_torch
    sys.modules["vllm"], sys.modules["vllm._custom_ops"] = types.ModuleType("vllm"), module
    tree = ast.parse((root / "v1/sample/logits_processor/builtin.py").read_text())
    min_p = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MinPLogitsProcessor")
    apply = next(node for node in min_p.body if isinstance(node, ast.FunctionDef) and node.name == "apply")
    scope = {"torch": torch}
    exec(compile(ast.Module([apply], []), "builtin.py", "exec"), scope)
    return types.SimpleNamespace(
        params=take(root / "sampling_params.py"),
        temperature=take(root / "v1/sample/sampler.py", "apply_temperature"),
        top=take(root / "v1/sample/ops/topk_topp_sampler.py", "apply_top_k_top_p_pytorch", "apply_top_k_only"),
        penalties=take(root / "model_executor/layers/utils.py", "get_token_bin_counts_and_mask", "apply_penalties"),
        min_p=scope["apply"],
    )


def by_vllm(vllm, row, settings):
    logits = torch.tensor([row], dtype=torch.float32)
    one = lambda name, off: torch.tensor([settings.get(name, off)])
    for token, bias in settings.get("logit_bias", {}).items():
        logits[0, token] += bias
    vllm.penalties.apply_penalties(
        logits, torch.tensor([PROMPT]), torch.tensor([OUTPUT]), one("presence_penalty", 0.0), one("frequency_penalty", 0.0),
        one("repetition_penalty", 1.0))
    # As `SamplingParams.__post_init__` does before a request is taken.
    t = settings.get("temperature", 1.0)
    t = max(t, vllm.params._MAX_TEMP) if 0 < t < vllm.params._MAX_TEMP else t
    logits = vllm.temperature.apply_temperature(logits, torch.tensor([t]), False)
    if settings.get("min_p", 0.0) > 0:
        state = types.SimpleNamespace(min_p_count=1, min_p=torch.tensor([[settings["min_p"]]]))
        logits = vllm.min_p(state, logits)
    k = torch.tensor([settings["top_k"]]) if "top_k" in settings else None
    p = torch.tensor([settings["top_p"]]) if "top_p" in settings else None
    return vllm.top.apply_top_k_top_p_pytorch(logits, k, p).softmax(-1)[0]


def main():
    vllm = load_vllm(sys.argv[1])
    print(f"# Recorded by record.py: transformers {transformers.__version__}, vllm 0.33.0, torch {torch.__version__.split('+')[0]}.")
    print("# row, name, logits; case, engine, row, stages, ids with their probabilities; prompt and output")
    print("text", ",".join(map(str, PROMPT)), ",".join(map(str, OUTPUT)), sep="\t")
    for name, row in ROWS.items():
        print("row", name, ",".join(f"{x!r}" for x in row), sep="\t")
    for engine, cases, run in [("transformers", TRANSFORMERS, by_transformers), ("vllm", VLLM, lambda *a: by_vllm(vllm, *a))]:
        for stages, settings in cases:
            for name, row in ROWS.items():
                p = run(row, settings).tolist()
                kept = ",".join(f"{i}:{q:.7g}" for i, q in enumerate(p) if q > 0)
                print("case", engine, name, stages, kept, sep="\t")


main()
