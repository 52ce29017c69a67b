#!/usr/bin/env bash
# omnitoken 0.3.0: spaces and line breaks of a text have no tokens.
#
# Guess: a GPT-2 style tokenizer.json gives the ids of Hugging Face's library, so decoding gives the text.
# Seen:  all white space is dropped, so three lines of code become one word. "é" is the token of the byte E9, which
#        decodes to U+FFFD.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check omnitoken==0.3.0 tokenizers==0.23.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json

import omnitoken
from tokenizers import Tokenizer, models, pre_tokenizers

merges = [("h", "e"), ("t", "he"), ("Ġ", "the")]
tokens = sorted(pre_tokenizers.ByteLevel.alphabet()) + [first + second for first, second in merges]
file = json.loads(Tokenizer(models.BPE(vocab={x: i for i, x in enumerate(tokens)}, merges=merges)).to_str())
byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
file |= {"pre_tokenizer": byte_level, "decoder": byte_level}
with open("x.json", "w") as out:
    json.dump(file, out)
right, tokenizer = Tokenizer.from_file("x.json"), omnitoken.Tokenizer("x.json")
cases = [
    ("the other", "theother"),
    ("if a:\n    b = 1\n    c\n", "ifa:b=1c"),
    ("é", "\ufffd"),
    ("the", "the"),
]
for text, changed in cases:
    good, seen = right.encode(text), list(tokenizer.encode(text))
    print(repr(text), "tokenizers:", good.tokens, "omnitoken:", [right.id_to_token(index) for index in seen])
    assert right.decode(good.ids) == text
    assert right.decode(seen) == changed, "the behaviour has changed"
PYTHON
