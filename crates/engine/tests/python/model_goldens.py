"""A model file in; llama.cpp's token ids, greedy texts and logits of it out, as JSON.

    .venv/bin/python crates/engine/tests/python/model_goldens.py MODEL OTHER-GOLDENS PROMPT... > GOLDENS

The texts to tokenize are those of other goldens. `real/tokenizer.rs` and `real/goldens.rs` hold the
engine to the result.
"""

import ctypes
import json
import sys
from importlib.metadata import version
from pathlib import Path

from family_logits import I32, P, library

N_GREEDY = 64
N_CTX = 512


class Run:
    """A model in memory, and what llama.cpp says of it."""

    def __init__(self, path, plain):
        self.lib = lib = library()
        lib.llama_tokenize.argtypes = [P, ctypes.c_char_p, I32, P, I32, ctypes.c_bool, ctypes.c_bool]
        lib.llama_detokenize.argtypes = [P, P, I32, P, I32, ctypes.c_bool, ctypes.c_bool]
        lib.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
        lib.llama_get_logits_ith.argtypes = [P, I32]
        lib.llama_get_memory.restype = P
        lib.llama_get_memory.argtypes = [P]
        lib.llama_memory_clear.argtypes = [P, ctypes.c_bool]
        lib.llama_backend_init()
        model = lib.llama_model_default_params()
        context = lib.llama_context_default_params()
        assert (context.n_ctx, context.n_batch) == (512, 2048), "llama.h differs"
        model.n_gpu_layers = 0
        context.n_ctx = N_CTX
        if plain:
            model.extra = False
            context.flash = context.type_k = context.type_v = 0
        context.n_threads = context.n_threads_batch = 1 if plain else 2
        self.model = lib.llama_model_load_from_file(path.encode(), model)
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.context = lib.llama_init_from_model(self.model, context)

    def tokenize(self, text, special):
        """Ids, with the special tokens that the model adds and parsed ones, or neither."""
        data = text.encode()
        out = (I32 * (len(data) + 16))()
        n = self.lib.llama_tokenize(self.vocab, data, len(data), out, len(out), special, special)
        return list(out[:n])

    def detokenize(self, tokens, special):
        """Bytes."""
        data = (I32 * len(tokens))(*tokens)
        out = ctypes.create_string_buffer(16 * len(tokens) + 64)
        n = self.lib.llama_detokenize(
            self.vocab, data, len(tokens), out, len(out), False, special
        )
        return out.raw[:n]

    def logits(self, tokens, start):
        """The logits after the last token."""
        batch = self.lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, start + i, 1
            batch.seq_id[i][0], batch.logits[i] = 0, i == len(tokens) - 1
        assert self.lib.llama_decode(self.context, batch) == 0
        return self.lib.llama_get_logits_ith(self.context, -1)[: self.n_vocab]

    def greedy(self, prompt):
        """64 greedy tokens, whatever they are, and the first step's logits."""
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
        tokens, margins, fed, start = [], [], prompt, 0
        top20 = None
        for _ in range(N_GREEDY):
            row = self.logits(fed, start)
            start += len(fed)
            order = sorted(range(self.n_vocab), key=lambda token: -row[token])[:20]
            top20 = top20 or [[token, row[token]] for token in order]
            margins.append(row[order[0]] - row[order[1]])
            tokens.append(order[0])
            fed = [order[0]]
        return {
            "greedy64_tokens": tokens,
            "greedy64_text": self.detokenize(tokens, True).decode(errors="replace"),
            "top1_minus_top2": [round(margin, 4) for margin in margins],
            "top20_logits": [[token, round(x, 4)] for token, x in top20],
        }


def main():
    """Both runs, one after the other."""
    path, other, *prompts = sys.argv[1:]
    texts = [
        bytes.fromhex(case["utf8_hex"]).decode()
        for case in json.loads(Path(other).read_text())["tokenization"]
    ]
    plain = Run(path, True)
    default = Run(path, False)

    def tokenization(text):
        nospecial = plain.tokenize(text, False)
        return {
            "text": text,
            "utf8_hex": text.encode().hex(),
            "tokens": plain.tokenize(text, True),
            "tokens_nospecial": nospecial,
            "detok_nospecial_hex": plain.detokenize(nospecial, False).hex() if nospecial else "",
        }

    def generation(prompt):
        tokens = plain.tokenize(prompt, True)
        return {
            "prompt": prompt,
            "prompt_tokens": tokens,
            "reference": plain.greedy(tokens),
            "default": default.greedy(tokens),
        }

    goldens = {
        "engine": f"llama.cpp of xllamacpp {version('xllamacpp')}",
        "model_file": Path(path).name,
        "reference": "flash attention off, keys and values f32, weights not repacked, 1 thread",
        "default": "llama.cpp's defaults, 2 threads",
        "tokenization": [tokenization(text) for text in texts],
        "generation": [generation(prompt) for prompt in prompts],
    }
    print(json.dumps(goldens))


if __name__ == "__main__":
    main()
