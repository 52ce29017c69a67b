#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): with a grammar, top-k gives odds that neither order gives.
#
# Guess: the grammar masks before top-k, so of a (0.4), c (0.2) and d (0.1) the two best are drawn at
#        2:1, a in 67 %; or behind it, so only a is left of a and b, in 100 %.
# Seen:  about 86 %. A token is drawn without the grammar first and kept if the grammar allows it;
#        else one is drawn anew behind it: 0.4/0.7 + 0.3/0.7 * 2/3 = 0.857.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
server = Server(f"{sys.argv[1]}/x.gguf")
settings = {"n_predict": 1, "temperature": 1, "top_k": 2, "top_p": 1, "min_p": 0}


def share_of_a(**more):
    draws = 300
    texts = [server("/completion", prompt="abc", seed=i, **settings, **more) for i in range(draws)]
    return sum(text["content"] == "a" for text in texts) / draws


free, constrained = share_of_a(), share_of_a(grammar="root ::= [acd]")
print("share of a among the two best of a, b, c, d:", free, "with b forbidden:", constrained)
assert abs(free - 0.4 / 0.7) < 0.07, "the behaviour has changed"
assert 0.80 < constrained < 0.91, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
