#!/usr/bin/env bash
# tokenizers 0.23.3: a stream of tokens keeps back a U+FFFD that the text really holds.
#
# Guess: DecodeStream waits for the rest of a character, so joined it gives what decode gives.
# Seen:  it waits for more whenever the text ends in U+FFFD, so a text that ends in one loses it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.decoders import DecodeStream

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
tokenizer.decoder = decoders.ByteLevel()


def streamed(ids):
    stream = DecodeStream(skip_special_tokens=False)
    return "".join(part for part in (stream.step(tokenizer, i) for i in ids) if part)


seen = {}
for text in ("caf\u00e9", "a\ufffdb", "a\ufffd"):
    ids = tokenizer.encode(text).ids
    seen[text] = (tokenizer.decode(ids), streamed(ids))
print("text: (decoded, streamed)", ascii(seen))
assert seen == {
    "caf\u00e9": ("caf\u00e9", "caf\u00e9"),
    "a\ufffdb": ("a\ufffdb", "a\ufffdb"),
    "a\ufffd": ("a\ufffd", "a"),
}, "the behaviour has changed"
PYTHON
