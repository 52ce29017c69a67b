"""llama.cpp's token ids for every `tokenizer.ggml.pre` and model that it knows, as JSON.

    .venv/bin/python crates/engine/tests/python/tokenizer_cases.py > crates/engine/tests/goldens/tokenizers.json

Few real vocabularies can be had, so small ones are made here: BPE learned from whole texts, whose
merges reach across any border between words, so that ids show where a text is cut. Each becomes a
vocabulary-only file under each name. Of the ids of each text a hash of 32 bits is kept.
`it/tokenizer_names.rs` holds the engine to the result.
"""

import collections
import ctypes
import json
import os
import random
import sys
import tempfile
from pathlib import Path

import gguf

from family_logits import I32, P, library

# All of llama.cpp 0.6.0 but `whitespace`, whose own model isn't of text.
NAMES = """
a.x-4.0 afmoe bailingmoe bailingmoe2 bloom chameleon chatglm-bpe codeshell cohere2moe command-r dbrx
deepseek-coder deepseek-llm deepseek-r1-qwen deepseek-v3 default exaone exaone-moe exaone4 f2llmv2
falcon falcon-h1 falcon3 gemma4 gigachat glm4 glm5 gpt-2 gpt-4o gpt3-finnish granite-docling
granite-embed-multi-311m granite-embed-multi-97m grok-2 hunyuan hunyuan-dense hy_v4 jais jais-2
jina-de jina-es jina-v1-en jina-v2-code jina-v2-de jina-v2-es jina-v5-nano joyai-llm kanana2 kimi-k2
kormo laguna lfm2 llada-moe llama-bpe llama-v3 llama3 llama4 megrez mellum mellum2 midm-2.0 minerva-7b
minicpm5 minimax-m2 mmbert modern-bert mpt olmo phi-2 pixtral poro-chat qwen2 qwen35 refact roberta-bpe
sarvam-moe seed-coder smaug-bpe smollm solar-open spark2_5 stablelm2 starcoder superbpe talkie tekken
tiny_aya trillion ufakzeka viking youtu
""".split()
OF_CHARACTERS = ["gemma4", "granite-embed-multi-311m", "mmbert", "sarvam-moe"]

WHOLE = [
    "",
    " ",
    "   ",
    "\n\n\n",
    "a    \n\n   b",
    "\r\n\r\n x",
    "I'll go; you've 'em, DON'T! 'Tis we'Re 'S 'lL",
    "12 345 6789 1,234,567.89 3.14e-10",
    "²³½¾٣٤५६ ½1234 123456½",
    "a1b22c333d4444e55555",
    "helloWorld HTTPServer iOS",
    "e\u0301a\u0300 \u0301x",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก ๑๒๓",
    "안녕하세요 ㄱㄴㄷ",
    "こんにちは世界 カタカナ",
    "你好，世界。！？“引号”…—",
    "你好\u3000世界\u3000\u3000x",
    "مرحبا بالعالم",
    "Привет ПРИВЕТ αβγ ΑΒΓ",
    "\u1c90\u1c91ა \u2d00\u10b1 Հայերեն",
    "😀👍🏽 🇩🇪",
    "\ufeffx\u200b\u200d",
    "a\u00a0b\u00a0\u00a0c\u2003d\u0085e\u2028f\u1680g",
    "def f(x):\n    return x+1\n\n\nclass A:\n\tpass\n",
    "http://a.b/c?d=e&f#g a//b///\n/\n",
    "$$$ ^^^ ~~~ ||| ``` +++ === <<< >>>",
    "!!!???...,,,;;;::: -- - (a)[b]{c} a_b __x__",
    "<sentinel:123> <sentinel:> <sentinel:9x>",
    "IMGIMGABZ IMGIMGIMGIMGAZ IMGIMGABCDEZ",
    "Ⅷ ①② \U00020000\U0002f800 \ue000 \u0488",
    "  1  22  333  4444 1234567 12345678",
    " !\n !a .b ¡Hola! ¿Qué? 'sS 'llx it''s",
    "ﬁ ｆｕｌｌ ｛｝～！＠･ﾟｱ㐀\u8c48\uf900",
    "▁ a▁b ▁▁ Ġ Ċ",
    "</s> <s> <unk>",
]
PARTS = [
    *[" ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "a", "B", "the", "World"],
    *["HTTP", "don't", "'S", "'ll", "1", "23", "456", "7890", "½", "٣", "!", "..", "->", "$", "^"],
    *["~", "(", ")", "/", "//", "é", "É", "ß", "e\u0301", "\u0301", "ʰ", "ǅ", "中", "文字", "かな"],
    *["カナ", "한국", "ㄱ", "ㄅ", "ไทย", "नि", "Жя", "😀", "\u200b", "_", "-", '"', "'", "`", "｛"],
    *["、", "。", "，", "▁", "\x01", "\x7f", "\ue000", "<", "|", ">", "#", "\\", "𐐀", "ა", "ⴀ"],
]
N_TEXTS = 200


def all_texts():
    """Those above, and random ones of the parts."""
    rng = random.Random(17)
    texts = list(WHOLE)
    while len(texts) < N_TEXTS:
        texts.append("".join(rng.choice(PARTS) for _ in range(rng.randint(1, 14))))
    return texts


def alphabet():
    """GPT-2's characters for bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    chars = {byte: chr(byte) for byte in printable}
    return chars | {byte: chr(256 + i) for i, byte in enumerate(others)}


def learn(texts, known, n_merges):
    """BPE over whole texts: pairs of known tokens, most frequent first."""
    texts, known, merges = [list(text) for text in texts], set(known), []
    while len(merges) < n_merges:
        pairs = collections.Counter()
        for text in texts:
            pairs.update(pair for pair in zip(text, text[1:]) if known.issuperset(pair))
        (a, b), count = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if count < 2:
            break
        merges.append(f"{a} {b}")
        known.add(a + b)
        for text in texts:
            i = 0
            while i < len(text) - 1:
                if text[i] == a and text[i + 1] == b:
                    text[i : i + 2] = [a + b]
                i += 1
    return merges


def with_merged(tokens, merges):
    """The tokens and those that merges make, each once."""
    return list(dict.fromkeys([*tokens, *(merge.replace(" ", "") for merge in merges)]))


def escaped(data):
    """RWKV's spelling of bytes."""
    try:
        text = data.decode()
        special = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\x00"}
        return "".join(special.get(c, c) for c in text)
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in data)


def scores(n):
    """Any, but not in the order of ids."""
    return [0.0] * min(n, 260) + [-(5 + i * 7919 % 1000 / 70) for i in range(n - 260)]


class Reference:
    """llama.cpp, which reads vocabulary-only files."""

    def __init__(self):
        self.lib = lib = library()
        lib.llama_backend_init()
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, P)
        self.quiet = log(lambda *_: None)
        lib.llama_log_set(self.quiet, None)
        lib.llama_vocab_is_eog.argtypes = [P, I32]
        lib.llama_vocab_is_eog.restype = ctypes.c_bool
        flags = [ctypes.c_bool, ctypes.c_bool]
        lib.llama_tokenize.argtypes = [P, ctypes.c_char_p, I32, ctypes.POINTER(I32), I32, *flags]

    def open(self, path):
        """Its vocabulary."""
        params = self.lib.llama_model_default_params()
        params.vocab_only, params.n_gpu_layers = True, 0
        model = self.lib.llama_model_load_from_file(str(path).encode(), params)
        assert model, f"llama.cpp doesn't read {path}"
        return self.lib.llama_model_get_vocab(model)

    def hashes(self, path, texts):
        """A hash of the ids of each text (FNV-1a), with special tokens."""
        vocab, found = self.open(path), []
        for text in texts:
            data = text.encode()
            ids = (I32 * (4 * len(data) + 64))()
            n = self.lib.llama_tokenize(vocab, data, len(data), ids, len(ids), True, True)
            value = 0x811C9DC5
            for byte in b"".join(token.to_bytes(4, "little") for token in ids[:n]):
                value = (value ^ byte) * 0x01000193 % 2**32
            found.append(f"{value:08x}")
        return "".join(found)

    def ends(self, path):
        """The tokens that end a turn."""
        vocab = self.open(path)
        n_tokens = self.lib.llama_vocab_n_tokens(vocab)
        return [i for i in range(n_tokens) if self.lib.llama_vocab_is_eog(vocab, i)]


def write(path, model, pre, tokens, types, **more):
    """A file with a vocabulary alone."""
    out = gguf.GGUFWriter(path, "llama")
    out.add_block_count(1)
    out.add_context_length(128)
    out.add_embedding_length(8)
    out.add_feed_forward_length(8)
    out.add_head_count(1)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_tokenizer_model(model)
    if pre:
        out.add_tokenizer_pre(pre)
    out.add_token_list(tokens)
    out.add_token_types(types)
    for key, value in more.items():
        getattr(out, "add_" + key)(value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


# Vocabularies whose ends aren't those that their texts alone would make.
ENDS = [
    ["<s>", "<eos>", "<|return|>", "<|call|>", "<|end|>", "<|start|>", "<|channel|>", "<|endoftext|>"],
    ["<s>", "<eos>", "<|flush|>", "<|calls|>", "<|end|>", "<|im_end|>"],
    ["<s>", "<eos>", "<|return|>", "<|end|>", "<|user|>"],
    ["<s>", "<eos>", "<turn|>", "<|tool_response>", "</s>", "<|turn>"],
    ["<s>", "<|plamo:eos|>", "</s>", "<|plamo:op|>"],
    ["<s>", "</s>", "<|eot_id|>", "<|eom_id|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"],
    ["<s>", "[EOS]", "[EOT]", "[PAD]", "[e~[", "_<EOT>", "<EOT>", "<end_of_utterance>", "<reponame>"],
    ["<s>", "<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<|end_of_text|>", "<end_of_turn>"],
]


def main():
    """Writes the files, and the JSON to standard output."""
    texts, chars = all_texts(), alphabet()
    merges = learn(["".join(chars[byte] for byte in t.encode()) for t in texts], chars.values(), 500)
    of_bytes = [*with_merged(chars.values(), merges), "<s>", "</s>", "<unk>"]
    n = len(of_bytes)
    byte_types = [1] * (n - 3) + [3, 3, 2]
    spaced = [text.replace(" ", "▁") for text in texts]
    # Some have no token.
    letters = sorted({c for text in spaced for c in text if ord(c) % 3 and c != "\ue000"})
    char_merges = learn(spaced, letters, 300)
    of_chars = ["<pad>", "<s>", "</s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    of_chars = with_merged([*of_chars, *letters], char_merges)
    of_chars += [run for run in ("\n\n", "\n\n\n") if run not in of_chars]
    char_types = [3, 3, 3, 2] + [6] * 256 + [1] * (len(of_chars) - 260)
    back = {c: byte for byte, c in chars.items()}
    of_rwkv = ["<s>", *(escaped(bytes(back[c] for c in token)) for token in of_bytes[:-3])]
    first = {"bos_token_id": 1, "eos_token_id": 2}
    unknown = {**first, "unk_token_id": 3, "token_scores": scores(len(of_chars))}
    # The unigram model has no bytes.
    of_unigram = [f"t{i}" if 4 <= i < 260 else token for i, token in enumerate(of_chars)]
    unigram_types = [3, 3, 3, 2] + [1] * (len(of_chars) - 4)
    reference, ids, models = Reference(), {}, {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"

        def hashes(*file, **more):
            write(path, *file, **more)
            return reference.hashes(path, texts)

        for name in NAMES:
            if name in OF_CHARACTERS:
                more = {**first, "token_merges": char_merges}
                found = hashes("gpt2", name, of_chars, char_types, **more)
            else:
                more = {"bos_token_id": n - 3, "eos_token_id": n - 2, "token_merges": merges}
                found = hashes("gpt2", name, of_bytes, byte_types, **more)
            ids.setdefault(found, []).append(name)
        gemma = hashes("gemma4", None, of_chars, char_types, **first, token_merges=char_merges)
        models["gemma4"] = gemma
        plamo = hashes("plamo2", None, of_chars, char_types, **unknown, add_bos_token=True)
        models["plamo2"] = plamo
        models["rwkv"] = hashes("rwkv", None, of_rwkv, [3] + [1] * (len(of_rwkv) - 1))
        for spaces in ("", "add_space_prefix", "remove_extra_whitespaces"):
            flag = {spaces: True} if spaces else {}
            models["t5 " + spaces] = hashes("t5", None, of_unigram, unigram_types, **unknown, **flag)
        ends = []
        for control in ENDS:
            tokens = [*chars.values(), "ab", *control]
            more = {"token_merges": ["a b"], "bos_token_id": 257, "eos_token_id": 258}
            write(path, "gpt2", "gpt-2", tokens, [1] * len(tokens), **more)
            ends.append([control, [token - 257 for token in reference.ends(path)]])
    result = {
        "texts": texts,
        "merges": merges,
        "characters": of_chars[260:],
        "character_merges": char_merges,
        "rwkv": of_rwkv,
        "names": {" ".join(names): found for found, names in ids.items()},
        "models": models,
        "ends": ends,
    }
    lines = (f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in result.items())
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
