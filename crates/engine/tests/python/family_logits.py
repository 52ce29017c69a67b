"""Model files in a folder, each with its tokens beside it, in; llama.cpp's logits out.

Usage: family_logits.py FOLDER. For each NAME.gguf with a NAME.tokens (numbers in text), all tokens
are read in one batch, keys and values in f32, without flash attention, on one thread; the logits
after each become NAME.logits, raw little-endian f32. A file that llama.cpp refuses or that ends its
process becomes NAME.error.

xllamacpp is a prebuilt llama.cpp; its library exports the C interface, which is called as it is.
Structures follow llama.h of the version in requirements.txt; their defaults are checked.
"""

import ctypes
import subprocess
import sys
from pathlib import Path

import xllamacpp

P, I32, U32, F32, BOOL = (
    ctypes.c_void_p,
    ctypes.c_int32,
    ctypes.c_uint32,
    ctypes.c_float,
    ctypes.c_bool,
)


class ModelParams(ctypes.Structure):
    _fields_ = [
        ("devices", P),
        ("overrides", P),
        ("n_gpu_layers", I32),
        ("split_mode", I32),
        ("load_mode", I32),
        ("lazy_mode", I32),
        ("main_gpu", I32),
        ("tensor_split", P),
        ("progress", P),
        ("progress_data", P),
        ("kv_overrides", P),
        *[(name, BOOL) for name in "vocab_only check_tensors extra no_host no_alloc mtp".split()],
    ]


class ContextParams(ctypes.Structure):
    _fields_ = [
        *[
            (name, U32)
            for name in "n_ctx n_batch n_ubatch n_seq n_rs_seq n_outputs n_outputs_seq".split()
        ],
        *[
            (name, I32)
            for name in "n_threads n_threads_batch context rope pooling attention flash".split()
        ],
        *[(name, F32) for name in "base scale ext attn fast slow".split()],
        ("orig", U32),
        ("defrag", F32),
        ("eval", P),
        ("eval_data", P),
        ("type_k", I32),
        ("type_v", I32),
        ("abort", P),
        ("abort_data", P),
        *[(name, BOOL) for name in "embeddings offload no_perf op_offload swa_full unified".split()],
        ("samplers", P),
        ("n_samplers", ctypes.c_size_t),
        ("other", P),
    ]


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", I32),
        ("token", ctypes.POINTER(I32)),
        ("embd", P),
        ("pos", ctypes.POINTER(I32)),
        ("n_seq_id", ctypes.POINTER(I32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(I32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


def library():
    """llama.cpp's C interface, with the types of what is called."""
    lib = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
    lib.llama_model_default_params.restype = ModelParams
    lib.llama_context_default_params.restype = ContextParams
    lib.llama_model_load_from_file.restype = P
    lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, ModelParams]
    lib.llama_init_from_model.restype = P
    lib.llama_init_from_model.argtypes = [P, ContextParams]
    lib.llama_batch_init.restype = Batch
    lib.llama_decode.argtypes = [P, Batch]
    lib.llama_get_logits.restype = ctypes.POINTER(F32)
    lib.llama_get_logits.argtypes = [P]
    lib.llama_model_get_vocab.restype = P
    lib.llama_model_get_vocab.argtypes = [P]
    lib.llama_vocab_n_tokens.argtypes = [P]
    return lib


def logits(path, tokens):
    """The logits after each token, as bytes."""
    lib = library()
    lib.llama_backend_init()
    model_params = lib.llama_model_default_params()
    context = lib.llama_context_default_params()
    assert (context.n_ctx, context.n_batch, context.n_ubatch) == (512, 2048, 512), "llama.h differs"
    assert (context.type_k, context.type_v) == (1, 1), "llama.h differs"
    model_params.n_gpu_layers = 0
    model_params.extra = False
    model = lib.llama_model_load_from_file(str(path).encode(), model_params)
    assert model, "llama.cpp doesn't load it"
    n_vocab = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    context.n_ctx = 256
    context.n_threads = context.n_threads_batch = 1
    context.flash = 0
    context.type_k = context.type_v = 0
    running = lib.llama_init_from_model(model, context)
    assert running, "llama.cpp makes no context"
    batch = lib.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, token in enumerate(tokens):
        batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, i, 1
        batch.seq_id[i][0], batch.logits[i] = 0, 1
    assert lib.llama_decode(running, batch) == 0, "llama.cpp can't decode"
    return ctypes.string_at(lib.llama_get_logits(running), 4 * n_vocab * len(tokens))


def main():
    """One file (with --one) in this process, or all files of a folder, each in one of its own."""
    if sys.argv[1] == "--one":
        path = Path(sys.argv[2])
        tokens = [int(token) for token in path.with_suffix(".tokens").read_text().split()]
        path.with_suffix(".logits").write_bytes(logits(path, tokens))
        return
    for path in sorted(Path(sys.argv[1]).glob("*.gguf")):
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(path)], capture_output=True, text=True
        )
        path.with_suffix(".error").unlink(missing_ok=True)
        if done.returncode != 0:
            path.with_suffix(".logits").unlink(missing_ok=True)
            path.with_suffix(".error").write_text(done.stdout + done.stderr)
            print(f"{path.name}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


if __name__ == "__main__":
    main()
