#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): the seeds 1, 1.7 and 4294967297 are one seed.
#
# Guess: a setting that's no whole number, or none of 32 bits, is refused, as "1" is.
# Seen:  it's cut: a top_k of 2.9 is 2, a limit of 3.9 tokens 3, and of a seed the last 32 bits
#        count.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys
import urllib.error

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
server = Server(f"{sys.argv[1]}/x.gguf")


def used(name, value):
    settings = {"n_predict": 1, "seed": 1, name: value}
    return server("/completion", prompt="abc", **settings)["generation_settings"][name]


for name, value, expected in (
    ("seed", 1.7, 1),
    ("seed", 2**32 + 1, 1),
    ("seed", 2**40 + 5, 5),
    ("top_k", 2.9, 2),
    ("n_predict", 3.9, 3),
):
    seen = used(name, value)
    print(name, value, "is", seen)
    assert seen == expected, "the behaviour has changed"
    try:
        used(name, str(expected))
        raise SystemExit("the behaviour has changed")
    except urllib.error.HTTPError as error:
        assert error.code == 400, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
