#!/usr/bin/env bash
# openai 3.57.0: streamed fields that should stay as they are are added up.
#
# Guess: a role or a flag that each chunk repeats is itself in the final message; lists are put together.
# Seen:  the role is "assistantassistant", a name "mm", true twice 2, and scores are summed; of token ids on
#        the choice only the first chunk's are left. reasoning_content is put together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    openai==3.57.0 httpx==0.28.1
"$folder/venv/bin/python" - <<'PYTHON'
import json

import httpx
import openai


def chunk(delta, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n"


repeated = {"role": "assistant", "flag": True, "score": 0.5, "name": "m"}
body = chunk({**repeated, "reasoning_content": "First ", "content": "a"}, token_ids=[1])
body += chunk({**repeated, "reasoning_content": "then", "content": "b"}, token_ids=[2])
body += chunk({}, finish_reason="stop") + "data: [DONE]\n\n"
stream = {"content-type": "text/event-stream"}
transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=stream, content=body.encode()))
client = openai.OpenAI(api_key="none", max_retries=0, http_client=httpx.Client(transport=transport))
messages = [{"role": "user", "content": "x"}]
with client.chat.completions.stream(model="m", messages=messages) as events:
    for _ in events:
        pass
    choice = events.get_final_completion().choices[0].to_dict()
seen = {name: choice["message"][name] for name in (*repeated, "content", "reasoning_content")}
print("message:", seen, "token ids:", choice["token_ids"])
assert seen["content"] == "ab" and seen["reasoning_content"] == "First then"
assert seen["role"] == "assistantassistant" and seen["name"] == "mm", "the behaviour has changed"
assert seen["flag"] == 2 and seen["score"] == 1.0, "the behaviour has changed"
assert choice["token_ids"] == [1], "the behaviour has changed"
PYTHON
