#!/usr/bin/env bash
# math-verify 0.9.0: the answer 1e3 is right if 1 is, and +3 is no answer.
#
# Guess: a number in plain text, as a model or Python writes it, is read as that number.
# Seen:  the exponent is dropped, so 1e3 is 1 and 6.02e23 is 6.02; of `1 1/2` the 1 is left, of `3 x
#        10^5` the power. `+3` and `½` are nothing, so an answer of them is never right. In LaTeX a
#        power and 1\frac{1}{2} are read right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    math-verify==0.9.0 latex2sympy2-extended==1.11.0 antlr4-python3-runtime==4.13.2 sympy==1.14.0
cat >"$folder/look.py" <<'PYTHON'
from math_verify import parse, verify

for right, answer, taken_for in (
    ("1000", "1e3", "1"),
    ("602000000000000000000000", "6.02e23", "6.02"),
    ("1.5", "1 1/2", "1"),
    ("300000", "3 x 10^5", "100000"),
    ("3", "+3", None),
    ("0.5", "½", None),
):
    found = parse(answer)
    print(answer, "is read as", found, "right where", right, "is asked for:", verify(parse(right), found))
    assert not verify(parse(right), found), "the behaviour has changed"
    assert found == [] if taken_for is None else verify(parse(taken_for), found), "the behaviour has changed"
for right, answer in (("1000", "$10^3$"), ("1.5", r"$1\frac{1}{2}$"), ("300000", r"$3\times10^5$"), ("-3", "-3")):
    assert verify(parse(right), parse(answer))
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
