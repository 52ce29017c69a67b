#!/usr/bin/env bash
# tokenizers 0.23.3: an added token with a letter of Latin-1 decodes to U+FFFD.
#
# Guess: an added token decodes to its own text, since the byte-level alphabet is for the model's tokens.
# Seen:  its letters are taken for bytes where the alphabet has them: <|début|> decodes with U+FFFD in
#        place of é, Ġ becomes a space. A token with a letter outside, as 日, is left alone whole.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
tokenizer.decoder = decoders.ByteLevel()
expected = {
    "<|début|>": "<|d\ufffdbut|>",
    "<|Ġx|>": "<| x|>",
    "<|日é|>": "<|日é|>",
    "<|end|>": "<|end|>",
}
tokenizer.add_special_tokens(list(expected))
for token, text in expected.items():
    ids = tokenizer.encode(token).ids
    seen = tokenizer.decode(ids, skip_special_tokens=False)
    print(repr(token), ids, "decodes to", repr(seen))
    assert len(ids) == 1 and seen == text, "the behaviour has changed"
without = tokenizer.encode("début").ids
assert tokenizer.decode(without) == "début", "the behaviour has changed"
PYTHON
