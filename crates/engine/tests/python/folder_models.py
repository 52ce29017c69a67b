"""Hugging Face folders of small models with made-up weights, and what transformers computes of them.

    python folder_models.py FOLDER GOLDENS LLAMA_CPP [CASE...]

writes FOLDER/NAME (config.json, model.safetensors, tokenizer.json) for each case and the file
GOLDENS, which is tests/goldens/folders.json: configuration, names and shapes of the stored tensors,
some logits. Numbers of a tensor follow from its name (`numbers`), so tests/it/folder/goldens.rs makes
the same folders without transformers.

Families that transformers has no code for are converted to GGUF by llama.cpp's own converter, and
llama.cpp gives the logits. LLAMA_CPP is its source, which the source package of llama-cpp-python
0.3.36 has. All other folders are converted as well: FOLDER/NAME.gguf is what `kelvin convert` should
make of FOLDER/NAME, but for the vocabulary.

Needs transformers 5.23.0, gguf 0.19.0, xllamacpp 2026.10.11549, and a torch (2.8.0 was used).
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from folder_cases import CASES, N_TOKENS
from folder_remote import REMOTE

TOKENS = [(i * 37 + 11) % 90 for i in range(40)]
# Places of the logits that are kept: positions, and every so-manieth token.
POSITIONS, STEP = (0, 7, 23, 39), 9

CONVERT = """
import sys
from pathlib import Path
source, folder, out = sys.argv[1:]
sys.path[:0] = [source, source + "/gguf-py"]
import gguf
from conversion import ModelBase, get_model_class
hparams = ModelBase.load_hparams(Path(folder), False)
made = get_model_class(hparams["architectures"][0])
def set_vocab(self):
    n = self.hparams["vocab_size"]
    self.gguf_writer.add_tokenizer_model("gpt2")
    self.gguf_writer.add_tokenizer_pre("gpt-2")
    self.gguf_writer.add_token_list([f"t{i}" for i in range(n)])
    self.gguf_writer.add_token_types([1] * n)
    self.gguf_writer.add_token_merges(["t 0"])
    self.gguf_writer.add_eos_token_id(n - 1)
made.set_vocab = set_vocab
made(Path(folder), gguf.LlamaFileType.ALL_F32, Path(out)).write()
"""


def converted(source, folder):
    """llama.cpp's conversion of a folder, beside it; None if its converter refuses."""
    out = folder.with_name(folder.name + ".gguf")
    done = subprocess.run(
        [sys.executable, "-c", CONVERT, source, str(folder), str(out)], capture_output=True, text=True
    )
    if done.returncode == 0:
        return out
    print(folder.name, "isn't converted:", done.stderr.strip().splitlines()[-1])
    return None


def logits_of(path):
    """llama.cpp's logits, in a process of its own."""
    path.with_suffix(".tokens").write_text(" ".join(map(str, TOKENS)))
    tool = Path(__file__).with_name("family_logits.py")
    subprocess.run([sys.executable, str(tool), "--one", str(path)], check=True, capture_output=True)
    return np.fromfile(path.with_suffix(".logits"), dtype=np.float32).reshape(len(TOKENS), N_TOKENS)


def numbers(name, shape, base):
    """`base` plus numbers from -1/4 to 1/4 that follow from the name and the place."""
    mask = (1 << 64) - 1
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 & mask
    with np.errstate(over="ignore"):
        x = np.uint64(hashed) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    whole = (x >> np.uint64(40)).astype(np.float32) - np.float32(1 << 23)
    return (whole * np.float32(2.0**-25) + np.float32(base)).reshape(shape)


def tokenizer():
    vocab = {f"t{i}": i for i in range(N_TOKENS - 2)}
    added = [
        {"id": N_TOKENS - 2, "content": "<s>", "special": True},
        {"id": N_TOKENS - 1, "content": "</s>", "special": True},
    ]
    for token in added:
        token |= {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    pre = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": pre,
        "post_processor": None,
        "decoder": pre,
        "model": {"type": "BPE", "vocab": vocab, "merges": []},
    }


def write(folder, config, tensors):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def made(source, folder, name, config):
    """Writes a folder with the configuration as it is on the hub, and one as transformers saves it."""
    place = folder / name
    write(place, config, {})
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(place), dtype=torch.float32)
    saved = folder / "saved"
    shutil.rmtree(saved, ignore_errors=True)
    model.save_pretrained(saved)
    stored = load_file(saved / "model.safetensors")
    bases = {key: 1 if x.ndim == 1 and np.all(x == 1) else 0 for key, x in stored.items()}
    list_of = []
    for key, x in stored.items():
        if "act_fn" in key:
            # The activation's numbers stay what transformers makes of them.
            list_of.append([key, list(x.shape), float(x.reshape(-1)[0]), True])
            continue
        list_of.append([key, list(x.shape), bases[key]])
        stored[key] = numbers(key, x.shape, bases[key])
    config_saved = json.loads((saved / "config.json").read_text())
    shutil.rmtree(saved)
    logits = []
    for this, which in ((config, name), (config_saved, name + ".saved")):
        write(folder / which, this, stored)
        converted(source, folder / which)
        model = AutoModelForCausalLM.from_pretrained(
            folder / which, dtype=torch.float32, attn_implementation="eager"
        )
        model.eval()
        with torch.no_grad():
            logits.append(model(torch.tensor([TOKENS])).logits[0].numpy())
    apart = float(np.abs(logits[0] - logits[1]).max())
    np.save(folder / f"{name}.npy", logits[0])
    if apart != 0:
        print(name, "differs between both configurations by", apart)
    return golden(name, [config, config_saved], list_of, logits[0])


def golden(name, configs, tensors, logits):
    kept = [float(f"{x:.5f}") for at in POSITIONS for x in logits[at][::STEP]]
    spread = float(logits.max() - logits.min())
    return {"name": name, "configs": configs, "tensors": tensors, "spread": round(spread, 4), "logits": kept}


def remote(source, folder, name, config, shapes):
    """A case of llama.cpp's converter."""
    listed = [[key, shape, int("norm" in key or "ln_" in key)] for key, shape in shapes.items()]
    write(folder / name, config, {key: numbers(key, shape, base) for key, shape, base in listed})
    return golden(name, [config], listed, logits_of(converted(source, folder / name)))


def main():
    folder, goldens, source = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    only = sys.argv[4:]
    before = json.loads(goldens.read_text())["cases"] if only else []
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    out = []
    for name in [*CASES, *REMOTE]:
        if only and name not in only:
            out += [case for case in before if case["name"] == name]
        elif name in CASES:
            out.append(made(source, folder, name, CASES[name]))
        else:
            out.append(remote(source, folder, name, *REMOTE[name]))
    made_by = (
        f"folder_models.py, transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"
    )
    text = json.dumps(
        {"made_by": made_by, "tokens": TOKENS, "positions": POSITIONS, "step": STEP, "cases": []}
    )[:-2]
    text += "\n" + ",\n".join(json.dumps(case) for case in out) + "\n]}\n"
    goldens.write_text(text)


if __name__ == "__main__":
    main()
