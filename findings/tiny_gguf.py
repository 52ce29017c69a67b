"""A tiny llama file of known logits, and llama.cpp's server on it: for the llama-cpp scripts here."""

import json
import math
import urllib.request

import gguf
import numpy as np
import xllamacpp

WIDTH = 32
LETTERS = [chr(97 + i) if i < 26 else chr(65 + i - 26) for i in range(WIDTH)]


def write(path, probabilities=None, keys=(), template=None, end_token=31):
    """Writes a model of one layer whose tokens are letters.

    With `probabilities` (by token, the rest about zero) they are those of every next token;
    without, weights are random and attention looks at all tokens alike. `keys` are kinds, names
    and values of further metadata.
    """
    random = np.random.default_rng(1)
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(256)
    file.add_embedding_length(WIDTH)
    file.add_block_count(1)
    file.add_feed_forward_length(WIDTH)
    file.add_head_count(2)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(WIDTH // 2)
    file.add_vocab_size(WIDTH)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list(LETTERS)
    file.add_token_types([1] * WIDTH)
    file.add_token_merges(["a b"])
    file.add_eos_token_id(end_token)
    if template is not None:
        file.add_chat_template(template)
    for kind, name, value in keys:
        getattr(file, f"add_{kind}")(name, value)
    ones, square = np.ones(WIDTH, np.float32), (WIDTH, WIDTH)
    if probabilities is None:
        matrix = lambda: random.normal(size=square).astype(np.float32)
        embedding, output = matrix(), matrix()
    else:
        matrix = lambda: np.zeros(square, np.float32)
        logits = [math.log(probabilities.get(letter, 1e-12)) for letter in LETTERS]
        embedding = np.ones(square, np.float32)
        output = np.repeat(np.array(logits, np.float32)[:, None] / WIDTH, WIDTH, axis=1)
    file.add_tensor("token_embd.weight", embedding)
    file.add_tensor("output.weight", output)
    file.add_tensor("output_norm.weight", ones)
    for name in "attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down".split():
        zeros = np.zeros(square, np.float32)
        file.add_tensor(f"blk.0.{name}.weight", zeros if name == "attn_q" else matrix())
    file.add_tensor("blk.0.attn_norm.weight", ones)
    file.add_tensor("blk.0.ffn_norm.weight", ones)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


class Server:
    """llama.cpp's server on a file; a call posts JSON to a path and gives the answer."""

    def __init__(self, path, **settings):
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_ctx = 256
        params.n_parallel = 1
        for name, value in settings.items():
            setattr(params, name, value)
        self.server = xllamacpp.Server(params)

    def __call__(self, path, **body):
        request = urllib.request.Request(
            self.server.listening_address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return json.load(urllib.request.urlopen(request))
