#!/usr/bin/env bash
# tokie 0.1.4 (Python): parts of a tokenizer.json are dropped in silence.
#
# Guess: a package that promises the ids of Hugging Face's library gives them for any file that it
#        loads, or refuses the file.
# Seen:  of a byte-level BPE file it drops the normalizers NFD, NFKC, Replace and Prepend, and
#        add_prefix_space; Lowercase takes accents away and makes line breaks spaces.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokie==0.1.4 tokenizers==0.23.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json

import tokie
from tokenizers import Tokenizer, models, pre_tokenizers

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
plain = json.loads(Tokenizer(models.BPE(vocab={x: i for i, x in enumerate(alphabet)}, merges=[])).to_str())
plain["decoder"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def both(text, normalizer=None, prefix=False):
    """What each makes of the text, read back."""
    pre = {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": False}
    file = json.dumps({**plain, "normalizer": normalizer, "pre_tokenizer": pre})
    right = Tokenizer.from_str(file)
    with open("x.json", "w") as out:
        out.write(file)
    ids = tokie.Tokenizer.from_json("x.json").encode(text, add_special_tokens=False).ids
    return right.decode(right.encode(text).ids), right.decode(list(ids))


replace = {"type": "Replace", "pattern": {"String": "."}, "content": "!"}
cases = [
    ("é", {"type": "NFC"}, False, "é", "é"),
    ("é", {"type": "NFD"}, False, "e\u0301", "é"),
    ("½", {"type": "NFKC"}, False, "1\u20442", "½"),
    ("a.b", replace, False, "a!b", "a.b"),
    ("a", {"type": "Prepend", "prepend": "_"}, False, "_a", "a"),
    ("É\nB", {"type": "Lowercase"}, False, "é\nb", "e b"),
    ("a", None, True, " a", "a"),
]
for text, normalizer, prefix, right, changed in cases:
    seen = both(text, normalizer, prefix)
    name = normalizer["type"] if normalizer else "add_prefix_space"
    print(name, repr(text), "tokenizers:", repr(seen[0]), "tokie:", repr(seen[1]))
    assert seen == (right, changed), "the behaviour has changed"
PYTHON
