#!/usr/bin/env bash
# assel 1.0.0: two streams that are read at once disturb each other.
#
# Guess: each Parser keeps what its own stream has cut, and a byte order mark in front is skipped, as the HTML standard
#        says.
# Seen:  all share one decoder: while one waits for the rest of "ß", the other's plain text is a UnicodeDecodeError. The
#        byte order mark becomes part of the first field's name, so the first event is lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check assel==1.0.0
"$folder/venv/bin/python" - <<'PYTHON'
from assel import Parser


def read(parsers, pieces):
    """What comes of pieces, each given to the parser of its number."""
    try:
        return [event.data for number, piece in pieces for event in parsers[number].receive_bytes(piece)]
    except UnicodeDecodeError as error:
        return type(error).__name__


marked = "\ufeffdata: first\n\ndata: second\n\n".encode()
seen = read([Parser()], [(0, marked)])
print("behind a byte order mark:", seen)
assert seen == ["second"], "the behaviour has changed"
first, second = "data: Größe\n\n".encode(), b"data: plain\n\n"
cut = first.index("ß".encode()) + 1
alone = read([Parser()], [(0, first[:cut]), (0, first[cut:])])
after = read([Parser(), Parser()], [(0, first[:cut]), (0, first[cut:]), (1, second)])
print("one stream, cut in a letter:", alone, "two, one after the other:", after)
assert alone == ["Größe"] and after == ["Größe", "plain"]
both = read([Parser(), Parser()], [(0, first[:cut]), (1, second), (0, first[cut:])])
print("two at once:", both)
assert both == "UnicodeDecodeError", "the behaviour has changed"
PYTHON
