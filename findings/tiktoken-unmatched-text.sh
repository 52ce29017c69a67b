#!/usr/bin/env bash
# tiktoken 0.14.0: text that the pattern doesn't match is dropped.
#
# Guess: with a pattern of words alone what stands between them is encoded byte by byte, as it is by
#        Hugging Face's Split with the same pattern, or refused.
# Seen:  spaces and punctuation are dropped without an error, and decode gives another text. A pattern
#        of words and spaces loses a comma in the middle.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tiktoken==0.14.0 tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
import tiktoken
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

BYTES = {bytes([i]): i for i in range(256)}
LETTERS = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def look(pattern, text):
    """A text encoded and decoded by tiktoken and by tokenizers, with bytes as vocabulary."""
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    tokenizer = Tokenizer(models.BPE(LETTERS, []))
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    tokenizer.decoder = decoders.ByteLevel()
    return encoding.decode(encoding.encode(text)), tokenizer.decode(tokenizer.encode(text).ids)


text = "Yes, 3.5 or 4!"
for pattern, expected in [
    (r"\w+|\s+|[^\w\s]+", text),
    (r"\w+|\s+", "Yes 35 or 4"),
    (r"\w+", "Yes35or4"),
]:
    seen = look(pattern, text)
    print(pattern, "tiktoken:", repr(seen[0]), "tokenizers:", repr(seen[1]))
    assert seen == (expected, text), "the behaviour has changed"
PYTHON
