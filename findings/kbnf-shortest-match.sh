#!/usr/bin/env bash
# kbnf 0.4.2 (Python): an engine ends at the first text that fits, so a+ is one a.
#
# Guess: behind "ab" of "ab" or "abc", or one digit of #"[0-9]+", the engine is still open, as #e"..."
#        is there for expressions that end early.
# Seen:  it is finished at once, and abc or 12 can't be written; with "\n" behind them they can.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kbnf==0.4.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import kbnf


def longest(grammar, text):
    """How much of the text is taken, one character a token, and the state behind it."""
    letters = dict(enumerate(chr(i) for i in range(256)))
    tokens = {i: kbnf.Token(bytes([i])) for i in letters}
    engine = kbnf.Engine(grammar, kbnf.Vocabulary(tokens, letters))
    for count, letter in enumerate(text, 1):
        state = engine.try_accept_new_token(ord(letter))
        if state == kbnf.AcceptTokenResult.Finished:
            return text[:count], "finished"
    return text, "ongoing"


cases = [
    ("start ::= 'ab' | 'abc';", "abc", "ab"),
    ("start ::= 'a'+;", "aaa", "a"),
    ("start ::= #'[0-9]+';", "123", "1"),
    ("start ::= #'[0-9]+' '\\n';", "123\n", "123\n"),
    ("start ::= ('ab' | 'abc') '\\n';", "abc\n", "abc\n"),
]
for grammar, text, taken in cases:
    seen = longest(grammar, text)
    print(grammar, repr(text), "taken:", seen)
    assert seen == (taken, "finished"), "the behaviour has changed"
PYTHON
