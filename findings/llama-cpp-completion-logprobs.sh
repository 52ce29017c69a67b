#!/usr/bin/env bash
# xllamacpp 2026.10.11549 (llama.cpp): who asks for no alternatives gets no log-probabilities.
#
# Guess: `logprobs: 0` of a completion, and `top_logprobs: 0` of a chat with `logprobs`, give the
#        drawn tokens' log-probabilities alone, as OpenAI's API does; a completion's have lists of
#        their own.
# Seen:  both give none. From 1 on a completion has a chat's form: `content` instead of `tokens`,
#        `token_logprobs` and `top_logprobs`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.2.6
cat >"$folder/look.py" <<'PYTHON'
import sys

from tiny_gguf import Server, write

template = "{% for message in messages %}{{ message.content }}{% endfor %}"
write(f"{sys.argv[1]}/x.gguf", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, template=template)
server = Server(f"{sys.argv[1]}/x.gguf", use_jinja=True)


def names(path, **settings):
    found = server(path, max_tokens=1, seed=1, **settings)["choices"][0].get("logprobs")
    print(path, {name: settings[name] for name in settings if "logprobs" in name}, "has", found and list(found))
    return found and list(found)


messages = [{"role": "user", "content": "abc"}]
for alternatives, expected in ((0, None), (1, ["content"])):
    seen = names("/v1/completions", prompt="abc", logprobs=alternatives)
    assert seen == expected, "the behaviour has changed"
    seen = names("/v1/chat/completions", messages=messages, logprobs=True, top_logprobs=alternatives)
    assert seen == expected, "the behaviour has changed"
PYTHON
PYTHONPATH="$here" "$folder/venv/bin/python" -B "$folder/look.py" "$folder" 2>"$folder/log" ||
    { tail -3 "$folder/log"; exit 1; }
