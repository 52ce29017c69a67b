#!/usr/bin/env bash
# budtiktok 0.1.0: special tokens that stand in a text are cut into letters.
#
# Guess: a package that calls itself a drop-in replacement of Hugging Face's finds <end> in a text, and adds
#        what the file's post-processor adds.
# Seen:  <end> is five tokens. Nothing is asked of the post-processor: a BERT file without one gets [CLS] and [SEP], and
#        one that adds <s> in front gets the token of id 2 behind the text as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check budtiktok==0.1.0 tokenizers==0.23.3 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json

import budtiktok
from tokenizers import Tokenizer, models, pre_tokenizers

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def both(file, text):
    with open("x.json", "w") as out:
        json.dump(file, out)
    right = Tokenizer.from_file("x.json")
    seen = budtiktok.Tokenizer.from_file("x.json").encode(text, add_special_tokens=True).ids
    return right.encode(text).tokens, [right.id_to_token(index) for index in seen]


plain = json.loads(Tokenizer(models.BPE(vocab={x: i for i, x in enumerate(letters)}, merges=[])).to_str())
plain["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
plain["added_tokens"] = [{"id": 256, "content": "<end>", **flags}]
start = {"SpecialToken": {"id": "<s>", "type_id": 0}}
first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
template = {
    "type": "TemplateProcessing",
    "single": [start, first],
    "pair": [start, first, second],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [256], "tokens": ["<s>"]}},
}
with_start = {**plain, "added_tokens": [{"id": 256, "content": "<s>", **flags}], "post_processor": template}
words = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "the": 3}
bert = json.loads(Tokenizer(models.WordPiece(words, unk_token="[UNK]")).to_str())
bert["pre_tokenizer"] = {"type": "BertPreTokenizer"}
bert["added_tokens"] = [{"id": words[token], "content": token, **flags} for token in ("[CLS]", "[SEP]")]
cases = [
    (plain, "a<end>b", ["a", "<end>", "b"], ["a", "<", "e", "n", "d", ">", "b"]),
    (with_start, "a", ["<s>", "a"], ["<s>", "a", letters[2]]),
    (bert, "the", ["the"], ["[CLS]", "the", "[SEP]"]),
]
for file, text, right, changed in cases:
    seen = both(file, text)
    print(repr(text), "tokenizers:", seen[0], "budtiktok:", seen[1])
    assert seen == (right, changed), "the behaviour has changed"
PYTHON
