#!/usr/bin/env bash
# tokenizers 0.23.3: ByteFallback turns a whole character into U+FFFD when bytes behind it are not one.
#
# Guess: of the bytes of 日 and the first byte of another character only the last is shown as U+FFFD,
#        as Python's decode shows it.
# Seen:  all four become U+FFFD, one a byte: what a stream showed as 日 is gone one token later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
from tokenizers import decoders

decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
written = "日本".encode()
seen = []
for count in range(1, len(written) + 1):
    tokens = [f"<0x{byte:02X}>" for byte in written[:count]]
    seen.append(decoder.decode(tokens))
    print(count, "bytes:", repr(seen[-1]), "Python:", repr(written[:count].decode(errors="replace")))
lost = "\ufffd"
assert seen == [lost, lost * 2, "日", lost * 4, lost * 5, "日本"], "the behaviour has changed"
PYTHON
