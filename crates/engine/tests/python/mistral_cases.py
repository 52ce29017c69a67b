"""Mistral's own tokenizers as test cases for Kelvin's: vocabularies as GGUF files, expected ids as JSON.

    python3 -m venv .venv && .venv/bin/pip install -r crates/engine/tests/python/requirements.txt
    .venv/bin/python crates/engine/tests/python/mistral_cases.py DIRECTORY

DIRECTORY is `mistral` inside of the directory of models (KELVIN_MODELS). What comes in is the data that the PyPI
package mistral-common ships; what goes out, for each of the three tokenizers spm-v1, spm-v3 and tekken:

    NAME-vocab.gguf   the tokenizer's metadata, no tensors
    NAME-cases.json   {"cases": [{"text", "ids", "decoded"}, ...]}: ids without BOS or EOS, and their text

The texts are the same on every run.
"""

import json
import random
import sys
import unicodedata
from pathlib import Path

import gguf
import mistral_common
from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from sentencepiece import sentencepiece_model_pb2

DATA = Path(mistral_common.__file__).parent / "data"
TOKENIZERS = {
    "spm-v1": "tokenizer.model.v1",
    "spm-v3": "mistral_instruct_tokenizer_240323.model.v3",
    "tekken": "tekken_240911.json",
}

WRITTEN = [
    "",
    " ",
    "Hello, world!",
    " leading and trailing ",
    "The quick brown fox jumps over the lazy dog.",
    "Don't we're I'LL they'd 'tis 'S it’s",
    "1 12 123 1234 12345 3.14159 1,000,000 0x1F ²³ Ⅷ ٣٤٥ 七",
    "for (int i = 0; i < n; ++i) { sum += a[i] / 2; } // comment\r\n\r\n",
    "def f(x):\n    return x**2\n\n\nclass A:\n\tpass\n",
    "<html><body class=\"x\">\n  <p>a &amp; b</p>\n</body></html>",
    "SELECT * FROM t WHERE a >= 10 AND b LIKE '%x%';",
    "https://example.com/path/?query=1&b=2#frag me@example.org",
    "CamelCaseAndsnake_case_AND_UPPER99Numbers iPhone HTTPServer xÉCOLE École",
    "<s>[INST] Hi [/INST] hello</s><unk><0x0A><pad>",
    "!!!???...---___***///\\\\\\ \n/\n/ +=/\r\n",
    "\ta\t\tb\t\t\tc \t \t d",
    "a\n\nb\n\n\nc\r\nd\re",
    "▁lower▁one▁ ▁▁ block",
    "नमस्ते दुनिया, आप कैसे हैं?",
    "বাংলা ভাষা, தமிழ் மொழி, తెలుగు, ಕನ್ನಡ, മലയാളം",
    "السلام عليكم ورحمة الله ١٢٣",
    "שָׁלוֹם עולם",
    "Привет, мир! Ёжик Ђорђе",
    "Γειά σου Κόσμε ΆΈΉ",
    "こんにちは世界。カタカナ、ｶﾅ",
    "你好，世界！中文分词ABC中文abc",
    "안녕하세요 세계 ㄱㄴㄷ",
    "สวัสดีชาวโลก ສະບາຍດີ မြန်မာ ខ្មែរ",
    "ქართული ენა ᲥᲐᲠ Հայերեն አማርኛ",
    "café cafe\u0301 naïve Ångström A\u030a ß ẞ ǅ ǈ ʰ ª º",
    "\u0301A \u0301a \u0301\u0301 x\u0301Y\u0301z \u0301",
    "😀👩‍👩‍👧🇫🇷 emoji 🎉👍🏽 ☺️ 1️⃣",
    "𝕳𝖊𝖑𝖑𝖔 ∀x∈ℝ: x²≥0 ∑∫√ ⟨ψ|φ⟩",
    "a\u00a0non\u200bbreaking\u202ezero\ufeff\u2028line\u2029para\u3000wide\u0085next",
    "\x00\x01\x02\x1b[31mred\x1b[0m\x7f\x80\x9f",
    "\U000e0001\U000e0041 \U0010fffd \ue000 \ufffd \uffff",
    "Tiếng Việt: Xin chào thế giới",
    "Zażółć gęślą jaźń; Příliš žluťoučký kůň",
    "word " * 300,
    "a" * 3000,
    " " * 3000,
    "\n" * 1000,
    "ab" * 1500,
    "中" * 1000,
    "A中" * 500 + "A" * 500,
    "-=" * 800,
    "1" * 1000,
]


def texts():
    """The written texts, then random ones: all of Unicode, one script each, words and spaces, keys of a keyboard."""
    yield from WRITTEN
    dice = random.Random(20240323)
    everything = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    assigned = [c for c in everything if unicodedata.category(chr(c)) not in ("Cn", "Co")]
    for size in [1, 2, 3, 5, 8, 13, 21, 34] * 6:
        yield "".join(chr(dice.choice(everything)) for _ in range(size))
        yield "".join(chr(dice.choice(assigned)) for _ in range(size))
    starts = [0x20, 0xA0, 0x100, 0x300, 0x370, 0x400, 0x530, 0x590, 0x600, 0x700, 0x900, 0x980, 0xB80, 0xE00, 0x10A0]
    starts += [0x1100, 0x1200, 0x1E00, 0x2000, 0x2100, 0x2200, 0x2500, 0x3000, 0x3100, 0x4E00, 0x9F00, 0xAC00, 0xFB00]
    starts += [0xFE00, 0xFF00, 0x10400, 0x1D400, 0x1F300, 0x1F900, 0x20000]
    for start in starts * 2:
        letters = [chr(start + i) for i in range(96)] + [" "] * 10 + ["\n", "'", "A", "a", "1", "/"]
        yield "".join(dice.choice(letters) for _ in range(60))
    words = " ".join(WRITTEN[:38]).split() + ["'s", "'re", "(", ");", "...", "=>", "\\n", "{}", "99"]
    spaces = [" ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", "    ", " \n ", "", "", "/", "\u00a0", "\u3000"]
    for _ in range(120):
        yield "".join(dice.choice(words) + dice.choice(spaces) for _ in range(dice.randrange(1, 40)))
    keys = "".join(map(chr, range(32, 127))) + "\n\t  aeiou"
    for _ in range(60):
        yield "".join(dice.choice(keys) for _ in range(dice.randrange(1, 200)))
    for _ in range(60):
        yield "".join(dice.choice(" \n\r\t'aA1/.é中\u0301") for _ in range(dice.randrange(1, 60)))


def write(path, fill):
    """Writes a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    fill(part)
    part.replace(path)


def write_cases(path, encode, decode):
    cases = []
    for text in texts():
        ids = encode(text)
        cases.append({"text": text, "ids": ids, "decoded": decode(ids)})
    write(path, lambda part: part.write_text(json.dumps({"cases": cases}), encoding="utf-8"))
    return len(cases)


def write_vocabulary(path, model, pre, tokens, types, fill):
    def write_to(part):
        writer = gguf.GGUFWriter(part, "llama")
        writer.add_name(path.stem)
        writer.add_tokenizer_model(model)
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_add_bos_token(True)
        writer.add_add_eos_token(False)
        fill(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()

    write(path, write_to)


def spm(name, source, directory):
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(source.read_bytes())
    # What Kelvin assumes of an SPM vocabulary, as GGUF can't say otherwise.
    assert model.trainer_spec.model_type == model.trainer_spec.BPE and model.trainer_spec.byte_fallback
    assert model.normalizer_spec.name == "identity" and not model.normalizer_spec.remove_extra_whitespaces

    def fill(writer):
        writer.add_token_scores([piece.score for piece in model.pieces])
        writer.add_add_space_prefix(model.normalizer_spec.add_dummy_prefix)

    tokens = [piece.piece.encode() for piece in model.pieces]
    types = [int(piece.type) for piece in model.pieces]
    write_vocabulary(directory / f"{name}-vocab.gguf", "llama", "default", tokens, types, fill)

    tokenizer = SentencePieceTokenizer(source)
    encode = lambda text: tokenizer.encode(text, bos=False, eos=False)
    return write_cases(directory / f"{name}-cases.json", encode, tokenizer.decode)


def byte_alphabet():
    """GPT-2's: the printable characters of Latin-1 spell themselves, the other bytes follow from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def tekken(name, source, directory):
    tokenizer = Tekkenizer.from_file(source)
    n_special = tokenizer.num_special_tokens
    pieces = [tokenizer.id_to_byte_piece(i) for i in range(n_special, tokenizer.n_words)]
    alphabet = byte_alphabet()
    spell = lambda piece: "".join(alphabet[byte] for byte in piece)
    ranks = {piece: rank for rank, piece in enumerate(pieces)}
    # tiktoken merges any two tokens that make a third, the lowest rank first; GGUF wants those
    # pairs listed.
    merges = []
    for piece in pieces:
        pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in ranks and piece[i:] in ranks]
        pairs.sort(key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
        merges += [f"{spell(left)} {spell(right)}" for left, right in pairs]
    tokens = [tokenizer.id_to_piece(i).encode() for i in range(n_special)] + [spell(piece).encode() for piece in pieces]
    types = [gguf.TokenType.CONTROL] * n_special + [gguf.TokenType.NORMAL] * len(pieces)
    path = directory / f"{name}-vocab.gguf"
    write_vocabulary(path, "gpt2", "tekken", tokens, types, lambda writer: writer.add_token_merges(merges))

    encode = lambda text: tokenizer.encode(text, bos=False, eos=False)
    return write_cases(directory / f"{name}-cases.json", encode, tokenizer.decode)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: mistral_cases.py DIRECTORY (`mistral` inside of the directory of models)")
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, file in TOKENIZERS.items():
        n_cases = (tekken if file.endswith(".json") else spm)(name, DATA / file, directory)
        print(f"{directory / name}: vocabulary and {n_cases} cases")


main()
