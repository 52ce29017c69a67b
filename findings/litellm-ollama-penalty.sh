#!/usr/bin/env bash
# litellm 1.110.2: a frequency penalty becomes a reward for repetition in Ollama's chat.
#
# Guess: frequency_penalty=0.5 reaches Ollama under that name, which it knows, or is refused.
# Seen:  for ollama_chat it becomes repeat_penalty=0.5. That one divides positive logits, so below 1 it makes
#        repetition likelier, and OpenAI's "off", 0, becomes a division by 0. For `ollama` the name stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    litellm==1.110.2
"$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
from litellm.utils import get_optional_params


def sent(provider, penalty):
    asked = get_optional_params(model="llama3", custom_llm_provider=provider, frequency_penalty=penalty)
    return {name: value for name, value in asked.items() if "penalty" in name}


seen = {}
for provider in ("ollama", "ollama_chat"):
    for penalty in (0.5, 0.0):
        seen[provider, penalty] = sent(provider, penalty)
        print(provider, "frequency_penalty", penalty, "becomes", seen[provider, penalty])
assert seen["ollama", 0.5] == {"frequency_penalty": 0.5}, "the behaviour has changed"
assert seen["ollama_chat", 0.5] == {"repeat_penalty": 0.5}, "the behaviour has changed"
assert seen["ollama_chat", 0.0] == {"repeat_penalty": 0.0}, "the behaviour has changed"
PYTHON
