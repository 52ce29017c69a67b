#!/usr/bin/env bash
# tokenizers 0.23.3: the ids of added tokens in a tokenizer.json don't count.
#
# Guess: <x> and <y> have the ids that the file gives them, or the file is refused.
# Seen:  they're numbered anew behind the vocabulary in the file's order, in silence: behind two tokens
#        10 and 11 become 2 and 3, as if the gap, which padded vocabularies have, weren't there, and 3
#        and 2 change places. Saved, the file says so too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
import json

from tokenizers import Tokenizer, models

plain = json.loads(Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[])).to_str())
flags = {"special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
for ids in ((2, 3), (10, 11), (3, 2)):
    plain["added_tokens"] = [{"id": id, "content": name, **flags} for id, name in zip(ids, ("<x>", "<y>"))]
    tokenizer = Tokenizer.from_str(json.dumps(plain))
    seen = tokenizer.encode("a<x>b<y>").ids
    saved = [token["id"] for token in json.loads(tokenizer.to_str())["added_tokens"]]
    print("ids in the file:", ids, "a<x>b<y> is", seen, "saved again:", saved)
    assert saved == [2, 3], "the behaviour has changed"
    assert seen == [0, 2, 1, 3], "the behaviour has changed"
PYTHON
