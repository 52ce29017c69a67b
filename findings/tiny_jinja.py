"""Templates by Jinja2 and by llama.cpp's server: for the llama-cpp-jinja scripts here."""

import json

import jinja2
import jinja2.sandbox
from tiny_gguf import Server, write


def jinja(text):
    """What Jinja2 makes of it, set up as transformers does."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(text).render(messages=[])


def llama_cpp(path, text):
    """What llama.cpp makes of it, as the template of a model written to `path`."""
    write(path, {"a": 1}, template="{{ '' }}" + text)
    messages = [{"role": "user", "content": "hi"}]
    return Server(path, use_jinja=True)("/apply-template", messages=messages)["prompt"]


def compare(folder, cases):
    """Each case: a template, what Jinja2 makes of it, and what llama.cpp does."""
    for index, (text, expected, changed) in enumerate(cases):
        assert jinja(text) == expected, "the behaviour of Jinja2 has changed"
        seen = llama_cpp(f"{folder}/{index}.gguf", text)
        print(text, "Jinja2:", repr(expected), "llama.cpp:", repr(seen))
        assert seen == changed, "the behaviour has changed"
