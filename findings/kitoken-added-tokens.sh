#!/usr/bin/env bash
# kitoken 0.11.1 (Python): rules about where an added token may stand are dropped.
#
# Guess: a tokenizer.json that loads gives Hugging Face's ids, or an option that isn't known is refused.
# Seen:  lstrip, rstrip and single_word are dropped in silence: spaces around a token become tokens of
#        their own, and a token for whole words is found inside of words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kitoken==0.11.1 tokenizers==0.23.3
"$folder/venv/bin/python" - "$folder/tokenizer.json" <<'PYTHON'
import sys

from kitoken import Kitoken
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

LETTERS = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def look(text, **options):
    """Ids of a text by tokenizers and by kitoken, for a vocabulary of bytes and one added token."""
    tokenizer = Tokenizer(models.BPE(LETTERS, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_tokens([AddedToken("<x>", **options)])
    tokenizer.save(sys.argv[1])
    other = Kitoken.from_file(sys.argv[1])
    return tokenizer.encode(text).ids, other.encode(text, True)


space, letter, added = LETTERS["Ġ"], LETTERS["a"], len(LETTERS)
cases = [
    ("a <x> a", {}, None),
    ("a <x> a", {"lstrip": True}, [letter, added, space, letter]),
    ("a <x> a", {"rstrip": True}, [letter, space, added, letter]),
    ("a<x>a", {}, None),
    ("a<x>a", {"single_word": True}, [letter, LETTERS["<"], LETTERS["x"], LETTERS[">"], letter]),
]
for text, options, other in cases:
    seen = look(text, **options)
    print(repr(text), options, "tokenizers:", seen[0], "kitoken:", seen[1])
    plain = [letter, added, letter] if " " not in text else [letter, space, added, space, letter]
    assert seen == (other or plain, plain), "the behaviour has changed"
PYTHON
