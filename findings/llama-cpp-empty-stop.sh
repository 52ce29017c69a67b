#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): an empty stop string ends the text at once.
#
# Guess: "" among the stop strings, as a form with an empty field sends it, is ignored or refused.
# Seen:  it's met by the first token, so the text is empty, and its end counts as one by a stop string; beside another
#        stop string too. The chat gives `stop`, as for a whole answer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 1})
server = Server(f"{sys.argv[1]}/x.gguf")
for stop, expected in (([], "aaaa"), (["b"], "aaaa"), ([""], ""), (["b", ""], "")):
    answer = server("/completion", prompt="abc", n_predict=4, temperature=0, stop=stop)
    print("stop", stop, "text", repr(answer["content"]), answer["stop_type"], answer["tokens_predicted"], "tokens")
    assert answer["content"] == expected, "the behaviour has changed"
    assert answer["stop_type"] == ("limit" if expected else "word"), "the behaviour has changed"
messages = [{"role": "user", "content": "abc"}]
[choice] = server("/v1/chat/completions", messages=messages, max_tokens=4, temperature=0, stop=[""])["choices"]
print("chat:", choice)
assert choice["finish_reason"] == "stop" and not choice["message"]["content"], "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
