"""Templates and conversations in, expected prompts out: renders every `*.jinja` of this folder as Hugging Face's
`apply_chat_template` does, with Python's jinja2, and writes `expected.json`.

    pip install jinja2 && python3 generate.py
"""
import json
import pathlib
from datetime import datetime

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
DATE = "2024-07-26"

user = {"role": "user", "content": "Write about Nepal"}
CONVERSATIONS = {
    "one": [user],
    "system": [{"role": "system", "content": "  Be brief.\n"}, user],
    "turns": [user, {"role": "assistant", "content": " It's \"high\" & <cold>. "}, {"role": "user", "content": "नेपाल\tकहाँ छ?\n🙂"}],
    "system and turns": [
        {"role": "system", "content": "Be\nbrief."},
        user,
        {"role": "assistant", "content": "OK"},
        {"role": "user", "content": ""},
    ],
    "assistant first": [{"role": "assistant", "content": "Hi"}, user],
    "two users": [user, user],
    "none": [],
}


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = lambda format: datetime.strptime(DATE, "%Y-%m-%d").strftime(format)

cases = []
for path in sorted(HERE.glob("*.jinja")):
    template = env.from_string(path.read_text())
    for name, messages in CONVERSATIONS.items():
        for generation in (False, True):
            case = {"template": path.name, "conversation": name, "messages": messages, "add_generation_prompt": generation}
            try:
                case["prompt"] = template.render(
                    messages=messages,
                    tools=None,
                    documents=None,
                    add_generation_prompt=generation,
                    bos_token="<s>",
                    eos_token="</s>",
                )
            except Raised as raised:
                case["raises"] = str(raised)
            except jinja2.exceptions.UndefinedError:
                case["fails"] = True
            cases.append(case)
out = {"made_by": f"generate.py with jinja2 {jinja2.__version__}", "date": DATE, "cases": cases}
(HERE / "expected.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")
print(len(cases), "cases", sum("raises" in c for c in cases), "raise", sum("fails" in c for c in cases), "fail")
