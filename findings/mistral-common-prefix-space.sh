#!/usr/bin/env bash
# mistral-common 1.13.1: an answer's beginning loses its last space.
#
# Guess: an assistant message with prefix=True reaches the model as it was written, as the model goes on from there.
# Seen:  from v2 on whitespace at its end is stripped, so `2 + 2 = ` is continued behind the equals sign; v1 keeps it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mistral-common==1.13.1 sentencepiece==0.2.3
"$folder/venv/bin/python" - <<'PYTHON'
from mistral_common.protocol.instruct.messages import AssistantMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

messages = [UserMessage(content="Add."), AssistantMessage(content="2 + 2 = ", prefix=True)]
seen = {}
for version in ("v1", "v2", "v3", "v7"):
    tokenizer = getattr(MistralTokenizer, version)()
    seen[version] = tokenizer.encode_chat_completion(ChatCompletionRequest(messages=messages)).text
    print(version, repr(seen[version]))
assert seen["v1"].endswith("=\u2581"), "the behaviour has changed"
assert all(seen[version].endswith("=") for version in ("v2", "v3", "v7")), "the behaviour has changed"
PYTHON
