"""The official `openai` client against a running `kelvin serve`.

    .venv/bin/python crates/kelvin/tests/python/openai_client.py BASE_URL API_KEY

Fails with an assertion if the client finds something other than what it finds at OpenAI's.
"""

import sys
import time

import openai
import pydantic
from openai.types.decision import (
    AnswerAnswerResourceChoice,
    AnswerAnswerResourcePredicate,
    AnswerAnswerResourceScore,
)

base_url, api_key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=60)
messages = [{"role": "user", "content": "Write about Nepal"}]
fixed = {"model": "smollm2", "messages": messages, "seed": 7, "max_completion_tokens": 12}


def refused(kind, **parameters):
    try:
        client.chat.completions.create(**{**fixed, **parameters})
    except kind as error:
        return error
    raise AssertionError(f"{parameters} should have been refused with {kind}")


# Models.
assert [model.id for model in client.models.list()] == ["smollm2"]
assert client.models.retrieve("smollm2").owned_by == "kelvin"
try:
    client.models.retrieve("gpt-4")
    raise AssertionError("there is no gpt-4 here")
except openai.NotFoundError as error:
    assert error.code == "model_not_found"

# A chat, whole and streamed.
whole = client.chat.completions.create(**fixed, logprobs=True, top_logprobs=2)
text = whole.choices[0].message.content
assert text and whole.choices[0].finish_reason == "length"
assert whole.usage.completion_tokens == 12 and len(whole.choices[0].logprobs.content) == 12
assert "".join(token.token for token in whole.choices[0].logprobs.content) == text
again = client.chat.completions.create(**fixed)
assert again.choices[0].message.content == text
assert again.usage.prompt_tokens_details.cached_tokens == again.usage.prompt_tokens - 1
chunks = list(client.chat.completions.create(**fixed, stream=True, stream_options={"include_usage": True}))
assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].usage.completion_tokens == 12
many = client.chat.completions.create(**fixed, n=3, extra_body={"temperatures": [0, 1]})
assert len(many.choices) == 6 and many.choices[3].message.content == text
stop = text.split()[1]
stopped = client.chat.completions.create(**fixed, stop=[stop])
assert stop not in stopped.choices[0].message.content and stopped.choices[0].finish_reason == "stop"
raw = client.chat.completions.with_raw_response.create(**fixed)
assert raw.headers["x-request-id"]
# An answer goes back as it came.
for message in (whole.choices[0].message, whole.choices[0].message.model_dump(), {"role": "assistant", "content": None, "tool_calls": []}):
    turns = [*messages, message, {"role": "user", "content": "More"}]
    options = {"tools": [], "tool_choice": "none", "parallel_tool_calls": False, "logit_bias": {}, "store": False}
    assert client.chat.completions.create(**{**fixed, "messages": turns}, **options).choices[0].message.content

# Texts held to a form.
class Mountain(pydantic.BaseModel):
    name: str
    height_m: int
    tags: list[str] | None = None


mountain = {**fixed, "max_completion_tokens": 300, "temperature": 0.5}
message = client.chat.completions.parse(**mountain, response_format=Mountain).choices[0].message
turns = [*messages, message, {"role": "user", "content": "More"}]
assert client.chat.completions.create(**{**fixed, "messages": turns}).choices[0].message.content
parsed = message.parsed
assert isinstance(parsed, Mountain), parsed
with client.chat.completions.stream(**mountain, response_format=Mountain) as stream:
    assert stream.get_final_completion().choices[0].message.parsed == parsed
chosen = client.chat.completions.create(**fixed, extra_body={"structured_outputs": {"choice": ["yes", "no"]}})
assert chosen.choices[0].message.content in ("yes", "no") and chosen.choices[0].finish_reason == "stop"

# Responses.
asked = {"model": "smollm2", "input": "Write about Nepal", "max_output_tokens": 12, "extra_body": {"seed": 7}}
response = client.responses.create(**asked)
assert response.output_text == text and response.status == "incomplete" and response.usage.output_tokens == 12
assert response.store is False and response.incomplete_details.reason == "max_output_tokens"
events = list(client.responses.create(**asked, stream=True))
assert [event.sequence_number for event in events] == list(range(len(events)))
kinds = [event.type for event in events]
assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
assert kinds[-4:] == ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete"]
assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text
assert events[-1].response.output_text == text
scored = client.responses.create(**asked, include=["message.output_text.logprobs"], top_logprobs=2)
logprobs = scored.output[0].content[0].logprobs
assert len(logprobs) == 12 and len(logprobs[0].top_logprobs) == 2
asked = {**asked, "max_output_tokens": 300, "temperature": 0.5}
held = client.responses.parse(**asked, text_format=Mountain)
assert isinstance(held.output_parsed, Mountain) and held.status == "completed"
with client.responses.stream(**asked, text_format=Mountain) as stream:
    assert stream.get_final_response().output_parsed == held.output_parsed
turns = [{"role": "user", "content": "Write about Nepal"}, *held.output, {"role": "user", "content": "More"}]
assert client.responses.create(**{**asked, "input": turns, "max_output_tokens": 4}).output_text
for parameter, value in [("previous_response_id", "resp_1"), ("tools", [{"type": "web_search"}]), ("store", True)]:
    try:
        client.responses.create(**asked, **{parameter: value})
        raise AssertionError(f"{parameter} should have been refused")
    except openai.BadRequestError as error:
        assert error.param == parameter, error

# Completions.
done = client.completions.create(model="smollm2", prompt=["Tea", "Coffee"], max_tokens=4, echo=True, logprobs=1, temperature=0)
assert [choice.text.startswith(p) for choice, p in zip(done.choices, ["Tea", "Coffee"])] == [True, True]
assert done.choices[0].logprobs.token_logprobs[0] is None
biased = client.completions.create(model="smollm2", prompt="Tea", max_tokens=3, temperature=0, logit_bias={"100": 100})
assert len(set(biased.choices[0].text)) < 10

# Decisions.
questions = [
    {"type": "predicate", "name": "food", "instructions": "The text is about food."},
    {"type": "choice", "instructions": "What is it about?", "choices": [
        {"value": "a mountain", "description": "or a valley"}, {"value": "a meal"}, {"value": True}]},
    {"type": "score", "name": "length", "instructions": "How long is the text?",
     "levels": [{"label": "short"}, {"label": "medium"}, {"label": "long", "description": "pages"}]},
]
asked = {"model": "smollm2", "input": "Momos are dumplings.", "questions": questions}
decision = client.decisions.create(**asked, prompt_cache_key="x", safety_identifier="y")
food, about, length = decision.answers
assert isinstance(food, AnswerAnswerResourcePredicate) and food.name == "food" and 0 < food.probability < 1
assert isinstance(about, AnswerAnswerResourceChoice) and about.name is None
assert [one.value for one in about.probabilities] == ["a mountain", "a meal", True]
assert about.confidence == max(one.probability for one in about.probabilities)
assert abs(sum(one.probability for one in about.probabilities) - 1) < 1e-12
assert isinstance(length, AnswerAnswerResourceScore) and 0 <= length.score <= 2
assert [(one.label, one.value) for one in length.probabilities] == [("short", 0), ("medium", 1), ("long", 2)]
assert decision.model == "smollm2" and decision.usage.input_tokens > 30 and decision.usage.output_tokens == 0
again = client.decisions.create(**asked)
assert [one.model_dump() for one in again.answers] == [one.model_dump() for one in decision.answers]
parts = [{"role": "user", "content": [{"type": "input_text", "text": "Momos are dumplings."}]}]
as_message = client.decisions.create(**{**asked, "input": parts})
assert as_message.answers[0].probability == food.probability
turned = client.decisions.create(**asked, extra_body={"rotations": 3, "temperature": 2}).answers[1]
assert len(turned.kelvin["rotations"]) == 3 and turned.kelvin["temperature"] == 2
for bad, param in [
    ({"questions": []}, "questions"),
    ({"questions": [{**questions[1], "choices": [{"value": "a"}]}]}, "questions[0].choices"),
    ({"questions": [{**questions[1], "choices": [{"value": "a"}, {"value": "a"}]}]}, "questions[0]"),
    ({"input": [{"type": "function_call", "name": "f", "call_id": "1", "arguments": "{}"}]}, "input[0].type"),
]:
    try:
        client.decisions.create(**{**asked, **bad})
        raise AssertionError(f"{bad} should have been refused")
    except openai.BadRequestError as error:
        assert error.param == param, error

# Errors by class.
assert refused(openai.BadRequestError, temperature=-1).param == "temperature"
assert refused(openai.BadRequestError, n=1_000_000).param == "n"
assert refused(openai.BadRequestError, tools=[{"type": "function", "function": {"name": "f"}}]).param == "tools"
assert refused(openai.BadRequestError, max_completion_tokens=600).code == "context_length_exceeded"
assert refused(openai.NotFoundError, model="gpt-4").code == "model_not_found"
try:
    openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0).models.list()
    raise AssertionError("a wrong key opened the door")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key"

# Going away in the middle.
stream = client.completions.create(model="smollm2", prompt="Once", max_tokens=450, stream=True, extra_body={"ignore_eos": True})
next(iter(stream))
stream.close()
time.sleep(1)
print("all as expected")
