"""A tiny byte-level tokenizer.json, and its tokens by tokenizers and by onnxruntime-extensions."""

import json
import os

from onnxruntime_extensions import pp_api
from tokenizers import Tokenizer, pre_tokenizers

MERGES = [("h", "e"), ("t", "he"), ("Ġ", "the"), ("1", "2")]
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def write(folder, normalizer=None, pre_tokenizer=None, added=()):
    """Writes a tokenizer of all bytes and a few merges. `added` has the flags of added tokens by their texts."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(letters + [a + b for a, b in MERGES])}
    tokens = {"<end>": {}, **dict(added)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    file = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": len(vocabulary) + index, "content": text, **FLAGS, **flags}
            for index, (text, flags) in enumerate(tokens.items())
        ],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer or byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [list(pair) for pair in MERGES]},
    }
    settings = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 100}
    settings |= {name: "<end>" for name in ("bos_token", "eos_token", "unk_token")}
    os.makedirs(folder)
    for name, content in (("tokenizer.json", file), ("tokenizer_config.json", settings)):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as out:
            json.dump(content, out)


def both(folder, text):
    """A text's tokens by Hugging Face's tokenizers and by onnxruntime-extensions."""
    right = Tokenizer.from_file(f"{folder}/tokenizer.json")
    seen = pp_api.Tokenizer(folder).tokenize(text)
    return right.encode(text, add_special_tokens=False).tokens, [right.id_to_token(int(index)) for index in seen]
