"""The official `openai` client reads thoughts: `kelvin serve` with a model that always thinks.

    .venv/bin/python crates/kelvin/tests/python/openai_thinking.py BASE_URL API_KEY

Fails with an assertion if the client finds something other than what it finds at OpenAI's.
"""

import sys

import openai
from openai.types.responses import ResponseOutputMessage, ResponseReasoningItem

base_url, api_key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=60)
model = client.models.list().data[0].id
fixed = {"model": model, "input": "abc", "max_output_tokens": 40,
         "extra_body": {"seed": 7, "think": 9}}


def thoughts_of(response):
    return "".join(part.text for item in response.output if item.type == "reasoning"
                   for part in item.content)


# Whole: the thoughts are an item of their own, and no part of the text.
whole = client.responses.create(**fixed)
reasoning, message = whole.output
assert isinstance(reasoning, ResponseReasoningItem) and isinstance(message, ResponseOutputMessage)
assert reasoning.summary == [] and reasoning.content[0].type == "reasoning_text"
assert reasoning.id != message.id and reasoning.status == "completed"
thoughts, answer = thoughts_of(whole), whole.output_text
assert thoughts and answer and "think" not in answer and "</think>" not in thoughts
used = whole.usage
assert 9 < used.output_tokens_details.reasoning_tokens < used.output_tokens <= 40
chat = client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": "abc"}], max_completion_tokens=40,
    extra_body={"seed": 7, "think": 9})
assert chat.choices[0].message.content == answer
assert chat.choices[0].message.reasoning_content == thoughts

# Streamed: the client puts the same items together from the events.
with client.responses.stream(**fixed) as stream:
    events = list(stream)
    final = stream.get_final_response()
assert [event.sequence_number for event in events] == list(range(len(events)))
told = [event.delta for event in events if event.type == "response.reasoning_text.delta"]
said = [event.delta for event in events if event.type == "response.output_text.delta"]
assert "".join(told) == thoughts and "".join(said) == answer and len(told) > 1
assert thoughts_of(final) == thoughts and final.output_text == answer
kinds = [event.type for event in events]
added = [event for event in events if event.type == "response.output_item.added"]
assert [event.item.type for event in added] == ["reasoning", "message"]
assert [event.output_index for event in added] == [0, 1]
assert kinds.index("response.reasoning_text.done") < kinds.index("response.output_text.delta")
[done] = [event for event in events if event.type == "response.reasoning_text.done"]
assert done.text == thoughts and done.item_id == reasoning.id.replace(whole.id[5:], final.id[5:])

# What came back can be sent again, thoughts included.
again = client.responses.create(**{**fixed, "input": [
    {"role": "user", "content": "abc"}, *[item.to_dict() for item in whole.output],
    {"role": "user", "content": "d"}]})
assert again.output_text

# Cut while it thinks: there is no message yet.
cut = client.responses.create(**{**fixed, "max_output_tokens": 4})
[only] = cut.output
assert only.type == "reasoning" and cut.status == only.status == "incomplete"
assert cut.output_text == "" and thoughts.startswith(thoughts_of(cut).rstrip())
print("all as expected")
