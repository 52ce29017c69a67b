"""Makes a Hugging Face folder, and a GGUF file with the same numbers, of a GGUF model.

Weights are dequantized by the PyPI package gguf, rounded to 16 bits, and stored under the names and
in the order that transformers has. So an engine must give the same logits for both.

    python crates/engine/tests/python/hf_folder.py MODEL.gguf OUT [--dtype f16] [--shards 2]
        [--tokenizer DIR]

OUT/ becomes the folder and OUT.gguf the file. --tokenizer takes tokenizer.json and
tokenizer_config.json of a folder; without it they are made of the file's vocabulary. Families:
llama, qwen2, gemma3.
"""

import argparse
import json
import pathlib
import shutil
import struct

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, GGMLQuantizationType, dequantize

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
}
GEMMA3 = {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
ARCHITECTURES = {
    "llama": ("LlamaForCausalLM", "silu"),
    "qwen2": ("Qwen2ForCausalLM", "silu"),
    "gemma3": ("Gemma3ForCausalLM", "gelu_pytorch_tanh"),
}


def bf16(x):
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def value(reader, key, default=None):
    field = reader.fields.get(key)
    return field.contents() if field else default


def halves(x, n_heads):
    """Undoes what llama.cpp's converter does to queries and keys."""
    rows = x.reshape(n_heads, x.shape[0] // n_heads // 2, 2, -1)
    return rows.swapaxes(1, 2).reshape(x.shape)


def config(reader, arch, tied):
    get = lambda key, default=None: value(reader, f"{arch}.{key}", default)
    name, activation = ARCHITECTURES[arch]
    heads = get("attention.head_count")
    made = {
        "architectures": [name],
        "model_type": arch,
        "hidden_size": get("embedding_length"),
        "num_hidden_layers": get("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": get("attention.head_count_kv", heads),
        "intermediate_size": get("feed_forward_length"),
        "max_position_embeddings": get("context_length"),
        "rms_norm_eps": get("attention.layer_norm_rms_epsilon"),
        "rope_theta": get("rope.freq_base", 10000.0),
        "hidden_act": activation,
        "tie_word_embeddings": tied,
        "vocab_size": len(value(reader, "tokenizer.ggml.tokens")),
        "torch_dtype": "float16",
        "use_cache": True,
    }
    if get("attention.key_length"):
        made["head_dim"] = get("attention.key_length")
    if get("attention.sliding_window"):
        made["sliding_window"] = get("attention.sliding_window")
        made["rope_local_base_freq"] = 10000
    return made


def tokenizer(reader):
    tokens = value(reader, "tokenizer.ggml.tokens")
    kinds = value(reader, "tokenizer.ggml.token_type")
    spm = value(reader, "tokenizer.ggml.model") == "llama"
    vocab = {text: i for i, text in enumerate(tokens) if kinds[i] in (1, 2, 6)}
    added = [
        {"id": i, "content": text, "special": kinds[i] == 3, "normalized": False}
        for i, text in enumerate(tokens)
        if kinds[i] in (3, 4)
    ]
    if spm:
        scores = value(reader, "tokenizer.ggml.scores")
        merges = []
        for text, i in vocab.items():
            for cut in range(1, len(text)):
                if text[:cut] in vocab and text[cut:] in vocab:
                    merges.append((-scores[i], i, [text[:cut], text[cut:]]))
        merges = [pair for _, _, pair in sorted(merges)]
    else:
        merges = [merge.split(" ") for merge in value(reader, "tokenizer.ggml.merges")]
    regex = {
        "smollm": None,
        "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    }
    pre = value(reader, "tokenizer.ggml.pre")
    if spm:
        steps = None
        normalizer = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    elif regex[pre] is None:
        normalizer = None
        steps = [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        ]
    else:
        normalizer = {"type": "NFC"}
        steps = [
            {"type": "Split", "pattern": {"Regex": regex[pre]}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
        ]
    made = {
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps} if steps else None,
        "post_processor": None,
        "model": {"type": "BPE", "vocab": vocab, "merges": merges, "byte_fallback": spm},
    }
    name = lambda key: tokens[value(reader, key)] if value(reader, key) is not None else None
    settings = {
        "bos_token": name("tokenizer.ggml.bos_token_id"),
        "eos_token": name("tokenizer.ggml.eos_token_id"),
        "add_bos_token": bool(value(reader, "tokenizer.ggml.add_bos_token", False)),
        "chat_template": value(reader, "tokenizer.chat_template"),
    }
    return made, settings


def write_safetensors(path, tensors, dtype):
    header, data = {}, bytearray()
    for name, x in tensors.items():
        raw = {"f16": lambda: x.astype(np.float16), "bf16": lambda: bf16(x), "f32": lambda: x}[dtype]()
        raw = np.ascontiguousarray(raw).tobytes()
        header[name] = {
            "dtype": dtype.upper(),
            "shape": list(x.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(data))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dtype", default="f16", choices=["f16", "bf16", "f32"])
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--tokenizer", type=pathlib.Path)
    args = parser.parse_args()
    reader = GGUFReader(args.model)
    arch = value(reader, "general.architecture")
    names = NAMES | GEMMA3 if arch == "gemma3" else NAMES
    heads = value(reader, f"{arch}.attention.head_count")
    kv_heads = value(reader, f"{arch}.attention.head_count_kv", heads)
    args.out.mkdir(parents=True, exist_ok=True)

    writer = GGUFWriter(f"{args.out}.gguf", arch)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub)
    tensors = {}
    for tensor in reader.tensors:
        x = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        part, suffix = tensor.name.rsplit(".", 1)
        layer, part = part.split(".")[1:] if part.startswith("blk.") else (None, part)
        name = names[part] if layer is None else f"model.layers.{layer}.{names[part]}"
        if arch == "gemma3" and part.endswith("norm"):
            x = x - 1
        if args.dtype == "f16":
            x = x.astype(np.float16).astype(np.float32)
        if args.dtype == "bf16":
            x = (bf16(x).astype(np.uint32) << 16).view(np.float32)
        stored = x
        if arch == "gemma3" and part.endswith("norm"):
            x = x + 1
        if arch == "llama" and part in ("attn_q", "attn_k"):
            stored = halves(x, heads if part == "attn_q" else kv_heads)
        tensors[f"{name}.{suffix}"] = stored
        if x.ndim == 1 or args.dtype == "f32":
            writer.add_tensor(tensor.name, x)
        elif args.dtype == "f16":
            writer.add_tensor(tensor.name, x.astype(np.float16))
        else:
            shape = GGMLQuantizationType.BF16
            writer.add_tensor(tensor.name, bf16(x).view(np.uint8), raw_dtype=shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    tied = "lm_head.weight" not in tensors
    (args.out / "config.json").write_text(json.dumps(config(reader, arch, tied), indent=2))
    if args.tokenizer:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(args.tokenizer / name, args.out / name)
    else:
        made, settings = tokenizer(reader)
        (args.out / "tokenizer.json").write_text(json.dumps(made, ensure_ascii=False))
        (args.out / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False))
    items = list(tensors.items())
    if args.shards == 1:
        write_safetensors(args.out / "model.safetensors", tensors, args.dtype)
        return
    weights, per = {}, -(-len(items) // args.shards)
    for i in range(args.shards):
        shard = dict(items[i * per : (i + 1) * per])
        name = f"model-{i + 1:05}-of-{args.shards:05}.safetensors"
        write_safetensors(args.out / name, shard, args.dtype)
        weights |= {key: name for key in shard}
    index = {"metadata": {}, "weight_map": weights}
    (args.out / "model.safetensors.index.json").write_text(json.dumps(index))


main()
