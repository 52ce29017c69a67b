#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): three fields of a completion are taken and do nothing.
#
# Guess: /v1/completions does what OpenAI's fields echo, suffix and best_of ask for, or refuses them as
#        it refuses others that it can't do.
# Seen:  the text lacks the prompt that echo asks for, and its logprobs; suffix and best_of change
#        nothing, and each is answered as if it had been done.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

write(f"{sys.argv[1]}/x.gguf", {"a": 0.5, "b": 0.3, "c": 0.2})
server = Server(f"{sys.argv[1]}/x.gguf")


def asked(**settings):
    body = {"prompt": "bc", "max_tokens": 3, "temperature": 0, "logprobs": 1}
    answer = server("/v1/completions", **body, **settings)
    choice = answer["choices"][0]
    usage = answer["usage"]
    return choice["text"], len(choice["logprobs"]["content"]), usage["prompt_tokens"], usage["completion_tokens"]


plain = asked()
print("plain: text, logprobs, tokens:", plain)
for settings in ({"echo": True}, {"suffix": "c"}, {"best_of": 3}):
    seen = asked(**settings)
    print(settings, seen)
    assert seen == plain == ("aaa", 3, 2, 3), "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
