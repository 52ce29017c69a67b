#!/usr/bin/env bash
# splintr-rs 0.22.0: `<|user|>` in a text becomes an id that the model doesn't have.
#
# Guess: from_pretrained gives the ids of the model's own tokenizer, so every id has a row in its embedding.
# Seen:  some fifty tokens are added to each vocabulary, as `<|user|>`, `<|system|>`, `<|think|>`, `<|code|>`, and encode
#        finds them in plain text: 100278 where cl100k_base ends at 100276, 128301 where Llama 3 has 128,256 rows.
#        encode_ordinary gives the five tokens of the text. With cl100k_base `<|im_start|>` is 100280, with o200k_base
#        200022.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check splintr-rs==0.22.0
"$folder/venv/bin/python" - <<'PYTHON'
import splintr

# The size is the highest id of the model's own vocabulary, special tokens included, and one.
cases = {
    "cl100k_base": (100277, 100278, 100280),
    "o200k_base": (200019, 200020, 200022),
    "llama3": (128256, 128301, 128303),
    "mistral_v3": (131072, 131073, 131075),
}
for name, (size, user, start) in cases.items():
    tokenizer = splintr.Tokenizer.from_pretrained(name)
    for text, expected in (("<|user|>", user), ("<|im_start|>", start)):
        seen, ordinary = tokenizer.encode(text), tokenizer.encode_ordinary(text)
        print(name, "of", size, "ids:", text, "by encode:", seen, "by encode_ordinary:", ordinary)
        assert seen == [expected] and expected >= size, "the behaviour has changed"
        assert len(ordinary) > 3 and max(ordinary) < size and tokenizer.decode(ordinary) == text
    plain = tokenizer.encode("if (a <| user | b) return;")
    assert max(plain) < size
PYTHON
