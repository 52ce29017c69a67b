"""Random chat templates and conversations in, prompts as `apply_chat_template` of transformers renders them out:

    python template_cases.py DIRECTORY [SEED] [COUNT]

writes DIRECTORY/cases.json, which tests/real/chat_templates.rs reads. Equal seeds give equal cases.
"""
import json
import pathlib
import random
import sys
from datetime import datetime

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

DATE = "2026-11-28"


class Generation(Extension):
    """The block that marks what a model is trained on."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: datetime.strptime(DATE, "%Y-%m-%d").strftime(format)
    return env


TEXTS = [
    "Write about Nepal", " Be brief.\n", "It's \"cold\" & <b>", "नेपाल\tकहाँ छ?\n🙂", "", "<think>\nhm\n</think>\n\nHello",
    "a,b,,c", "one two  three", "ÄÖ straße", "x" * 30, "line\n\n  other\r\nlast\n", "100%", "{{ no }}", "'quoted'",
]
LITERALS = ["''", "'a'", "' '", "'user'", "'</think>'", "'\\n'", '"it\'s"', "'<|im_start|>'", "','", "'é'", "'%s'"]
PLAIN = ["text ", "<|im_start|>", "\n", "  \n  ", "[", "]", "\t", "it's ", "नेपाल", "\r\n", " {# gone #} ", "\n\n", "{", "}"]


class Writer:
    def __init__(self, rng):
        self.rng = rng
        self.names = []
        self.depth = 0

    def pick(self, *choices):
        return self.rng.choice(choices)

    def small(self):
        return str(self.rng.randint(-3, 5))

    def text(self, depth=2):
        r, t = self.rng, lambda: self.text(depth - 1)
        if depth <= 0 or r.random() < 0.25:
            known = ["messages[0].content", "messages[-1]['content']", "bos_token", "messages[0]['role']"] + self.names
            return r.choice(known) if r.random() < 0.6 else r.choice(LITERALS)
        return r.choice([
            lambda: f"{t()} + {t()}",
            lambda: f"{self.any(depth - 1)} ~ {t()}",
            lambda: f"({t()}).{self.pick('strip', 'lstrip', 'rstrip', 'upper', 'lower', 'title', 'capitalize', 'swapcase')}()",
            lambda: f"({t()})|{self.pick('trim', 'upper', 'lower', 'title', 'capitalize', 'string', 'reverse', 'first', 'last', 'indent', 'indent(2, true)', 'wordcount', 'length', 'list')}",
            lambda: f"({t()}).replace({r.choice(LITERALS)}, {r.choice(LITERALS)})",
            lambda: f"({t()})|replace({r.choice(LITERALS)}, {r.choice(LITERALS)})",
            lambda: f"({t()}).{self.pick('split', 'rsplit')}({self.pick('', repr(' '), repr(',') + ', 1', repr('</think>'), 'none, 1')})[{self.pick('0', '-1')}]",
            lambda: f"({t()}).{self.pick('removeprefix', 'removesuffix', 'strip', 'lstrip', 'rstrip', 'partition', 'rpartition')}({self.pick(repr('a'), repr('W'), repr('<think>'), repr('x'))})",
            lambda: f"({t()})[{self.pick('', self.small())}:{self.pick('', self.small())}]",
            lambda: f"({t()})[::{self.pick('-1', '2', '1')}]",
            lambda: f"'{self.pick('%s', '[%s]', '%5s|', '%-6s|', '%.2s', '%r', 'no')}' % {self.pick('(' + t() + ')', '(' + t() + ',)')}",
            lambda: f"'%s: %d' % (({t()}), {self.small()})",
            lambda: f"'{self.pick('{}', '{0}{0}', '{:>6}|', '{:<4}|', '{:^9}|')}'.format({t()})",
            lambda: f"({t()} if {self.truth(depth - 1)} else {t()})",
            lambda: f"({t()})|default({t()}{self.pick('', ', true')})",
            lambda: f"({self.any(depth - 1)})|tojson{self.pick('', '(indent=2)', '(ensure_ascii=true)')}",
            lambda: f"({self.items(depth - 1)})|join({self.pick('', repr(', '))})",
            lambda: f"{self.pick(repr(','), repr(''))}.join(({t()}).split())",
            lambda: f"({t()}) * {self.pick('0', '2', '-1')}",
            lambda: f"({t()}).{self.pick('center', 'ljust', 'rjust')}(8{self.pick('', ', ' + repr('.'))})",
            lambda: f"({t()}).splitlines()|join('|')",
            lambda: f"strftime_now('{self.pick('%d %b %Y', '%A', '%Y-%m-%d')}')",
        ])()

    def number(self, depth=2):
        r, n = self.rng, lambda: self.number(depth - 1)
        if depth <= 0 or r.random() < 0.3:
            return self.pick("0", "1", "2", "7", "-3", "1.5", "messages|length", "(messages[0].content|length)", "true")
        return r.choice([
            lambda: f"({n()} {self.pick('+', '-', '*', '/', '//', '%')} {n()})",
            lambda: f"({n()})|{self.pick('abs', 'int', 'float', 'string', 'round', 'round(1)')}",
            lambda: f"({self.text(depth - 1)}).{self.pick('find', 'count', 'rfind')}('e')",
            lambda: f"(-{n()})", lambda: f"({n()} ** 2)", lambda: f"({self.text(depth - 1)})|int",
            lambda: f"(range({n()})|list|{self.pick('sum', 'length', 'max', 'min')})",
        ])()

    def items(self, depth=2):
        r = self.rng
        if depth <= 0 or r.random() < 0.2:
            return self.pick("messages", "[1, 2, 3]", "['b', 'a', 'B']", "range(3)", "[]", "messages[0]", "(1, 'x')")
        i = lambda: self.items(depth - 1)
        return r.choice([
            lambda: f"messages|map(attribute='{self.pick('role', 'content', 'name')}')|list",
            lambda: f"messages|{self.pick('selectattr', 'rejectattr')}('role', '{self.pick('equalto', 'eq', 'ne', 'in')}', 'user')|list",
            lambda: f"messages|selectattr('{self.pick('name', 'content')}')|list",
            lambda: f"({i()})|{self.pick('list', 'reverse|list', 'sort', 'unique|list', 'batch(2)|list', 'slice(2)|list')}",
            lambda: f"['x', 'y']|map('{self.pick('upper', 'trim', 'length')}')|list",
            lambda: f"({i()})[{self.pick('', self.small())}:{self.pick('', self.small())}]",
            lambda: f"[{self.any(depth - 1)}, {self.any(depth - 1)}]", lambda: f"({i()} + {i()})",
            lambda: f"messages|groupby('role')|map('first')|list",
            lambda: f"dict(a={self.any(depth - 1)}, b=2).{self.pick('items', 'keys', 'values')}()|list",
            lambda: f"{{'k': {self.any(depth - 1)}, 'j': 1}}|{self.pick('dictsort', 'items|list', 'list')}",
            lambda: f"({self.text(depth - 1)}).split({self.pick('', repr(','), repr(' '))})",
        ])()

    def truth(self, depth=2):
        r, b = self.rng, lambda: self.truth(depth - 1)
        if depth <= 0 or r.random() < 0.2:
            return self.pick("true", "false", "add_generation_prompt", "tools", "messages", "not(tools)", "missing", "loop is defined")
        names = ["defined", "none", "string", "mapping", "iterable", "sequence", "number", "undefined", "boolean", "integer", "float", "true", "false"]
        return r.choice([
            lambda: f"{self.any(depth - 1)} is {self.pick('', 'not ')}{r.choice(names)}",
            lambda: f"({self.pick('none', 'missing', 'messages', '3', repr('a'))} is {r.choice(names)})",
            lambda: f"({self.text(depth - 1)} {self.pick('==', '!=', 'in', 'not in', '<', '>=')} {self.text(depth - 1)})",
            lambda: f"({self.number(depth - 1)} {self.pick('==', '<', '>', '<=', '>=', '!=')} {self.number(depth - 1)})",
            lambda: f"({self.number(0)} < {self.number(0)} <= {self.number(0)})",
            lambda: f"({b()} {self.pick('and', 'or')} {b()})", lambda: f"not {b()}", lambda: f"not({b()})",
            lambda: f"({self.text(depth - 1)}).{self.pick('startswith', 'endswith')}({r.choice(LITERALS)})",
            lambda: f"({self.text(depth - 1)}).{self.pick('isdigit', 'isupper', 'islower', 'isspace', 'isalpha')}()",
            lambda: f"({self.any(depth - 1)} in {self.items(depth - 1)})", lambda: f"({self.any(depth - 1)} == {self.any(depth - 1)})",
            lambda: f"({self.number(depth - 1)} is {self.pick('odd', 'even', 'divisibleby 3', 'divisibleby(2)')})",
        ])()

    def any(self, depth=2):
        return self.rng.choice([self.text, self.text, self.number, self.items, self.truth, lambda depth: self.pick("none", "missing", "tools", "messages[0]", "messages[0].get('name')", "messages[0].name", "messages[9]", "{'a': 1}"), self.text])(depth)

    def dash(self):
        return self.pick("", "", "-", "-", "+")

    def tag(self, inner):
        # `+%}` means that the newline behind the tag stays.
        return f"{{%{self.dash()} {inner} {self.dash()}%}}"

    def body(self, depth, in_loop):
        return "".join(self.statement(depth, in_loop) for _ in range(self.rng.randint(1, 3)))

    def statement(self, depth, in_loop=False):
        r = self.rng
        n = r.random()
        if depth <= 0 or n < 0.2:
            return r.choice(PLAIN)
        if n < 0.5:
            return f"{{{{{self.pick('', '-')} {self.any(r.randint(0, 3))} {self.pick('', '-')}}}}}"
        b = lambda loop=in_loop: self.body(depth - 1, loop)
        if n < 0.62:
            other = self.pick("", self.tag("else") + b(), self.tag(f"elif {self.truth()}") + b() + self.tag("else") + b())
            return self.tag(f"if {self.truth()}") + b() + other + self.tag("endif")
        if n < 0.8:
            over = self.pick("messages", "messages", self.items(), self.items(1), "messages[1:]", "messages|reverse", "tools", "missing", "'ab'", "3")
            what = "message" if "messages" in over else self.pick("x", "x", "a, b")
            kept, self.names = self.names, self.names + (["message.content", "message['role']", "loop.index", "loop.last", "loop.revindex0", "(loop.previtem is defined)"] if what == "message" else ["x", "loop.length", "loop.first"] if what == "x" else ["a", "b"])
            end = self.pick("", "", self.tag(f"if {self.truth(1)}") + self.tag(self.pick("break", "continue")) + self.tag("endif"))
            text = self.tag(f"for {what} in {over}{self.pick('', '', f' if {self.truth(1)}')}") + end + b(True)
            self.names = kept
            return text + self.pick("", "", self.tag("else") + b()) + self.tag("endfor")
        if n < 0.88:
            name = self.pick("v", "w", "message")
            text = self.tag(f"set {name} = {self.any()}") if r.random() < 0.7 else self.tag(f"set {name}") + b() + self.tag("endset")
            self.names = self.names + [name]
            return text
        if n < 0.92:
            return self.tag("set ns = namespace(n=0, s='')") + self.tag(f"for i in {self.items(1)}") + self.tag("set ns.n = ns.n + 1") + self.tag(f"set ns.s = ns.s ~ {self.any(1)}") + self.tag("endfor") + "{{ ns.n }}{{ ns.s }}"
        if n < 0.95:
            return self.tag("macro turn(role, text='none')") + b(False) + "{{ role }}:{{ text }}" + self.tag("endmacro") + f"{{{{ turn({self.any(1)}{self.pick('', ', ' + self.text(1), ', text=' + self.text(1))}) }}}}"
        if n < 0.97:
            return self.tag("generation") + b() + self.tag("endgeneration")
        if n < 0.98:
            return self.tag(f"with v = {self.any(1)}") + "{{ v }}" + b() + self.tag("endwith")
        if n < 0.99:
            return self.tag("filter upper") + b() + self.tag("endfilter")
        return self.pick("{% raw %} {{ x }} {% endraw %}", "{{ raise_exception('no') }}", "{% call(x) turn('a') %}{{ x }}{% endcall %}")


def conversation(rng):
    messages = []
    if rng.random() < 0.4:
        messages.append({"role": "system", "content": rng.choice(TEXTS)})
    for i in range(rng.randint(1, 4)):
        message = {"role": "user" if i % 2 == 0 else "assistant", "content": rng.choice(TEXTS)}
        if rng.random() < 0.2:
            message["name"] = rng.choice(["Ann", "बो"])
        messages.append(message)
    return messages


def has_address(prompt):
    """Texts of functions and generators hold an address, which no two runs share."""
    return " at 0x" in prompt


def cases(seed, count):
    rng = random.Random(seed)
    env = environment()
    while count > 0:
        writer = Writer(rng)
        template = "".join(writer.statement(3) for _ in range(rng.randint(1, 5)))
        messages = conversation(rng)
        case = {"template": template, "messages": messages, "add_generation_prompt": rng.random() < 0.5}
        try:
            case["prompt"] = env.from_string(template).render(
                messages=messages, tools=None, documents=None, bos_token="<s>", eos_token="</s>",
                add_generation_prompt=case["add_generation_prompt"],
            )
        except Exception as error:
            case["error"] = f"{type(error).__name__}: {error}"
            # An error ends a template early: most are thrown away, so that most cases render.
            if rng.random() < 0.8:
                continue
        if has_address(case.get("prompt", "")):
            continue
        count -= 1
        yield case


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seed, count = (int(arg) for arg in (sys.argv[2:] + ["1", "300"][len(sys.argv) - 2:]))
    made = list(cases(seed, count))
    out = {"made_by": f"template_cases.py with jinja2 {jinja2.__version__}, seed {seed}", "date": DATE, "cases": made}
    (folder / "cases.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")
    print(len(made), "cases,", sum("error" in case for case in made), "errors")
