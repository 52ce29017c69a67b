#!/usr/bin/env bash
# chonkie 1.7.0: chunks of words lie one character further left with each chunk.
#
# Guess: a chunk's indices name its text in the document.
# Seen:  of chunks that don't overlap the space between two is in neither, but isn't counted: the
#        second chunk's indices begin one too early, the third's two. Put together, the chunks'
#        words run into each other. Chunks of characters, and chunks that overlap, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chonkie==1.7.0
cat >"$folder/look.py" <<'PYTHON'
from chonkie import TokenChunker

text = "one two three four five six seven eight nine ten eleven twelve"
for tokenizer, size, overlap, right in (("word", 5, 0, False), ("word", 5, 2, True), ("character", 20, 0, True)):
    chunks = TokenChunker(tokenizer=tokenizer, chunk_size=size, chunk_overlap=overlap).chunk(text)
    named = [text[chunk.start_index : chunk.end_index] for chunk in chunks]
    print(tokenizer, "overlap", overlap, "chunks:", [chunk.text for chunk in chunks], "named:", named)
    assert ([chunk.text for chunk in chunks] == named) == right, "the behaviour has changed"
    if not right:
        assert named[1:] == [" six seven eight nine te", "n eleven twel"], "the behaviour has changed"
        assert "fivesix" in "".join(chunk.text for chunk in chunks), "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
