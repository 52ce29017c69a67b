"""Whether a body that a model wrote is right: it is run in the sandbox on the cases of its task, and
what comes back is compared here, outside of it."""

import ast
import functools
import secrets

import sandbox

# Calls the function on each case, and prints what comes back, in Python's notation.
HARNESS = """
import io, sys
out, sys.stdout = sys.stdout, io.StringIO()
place = {{}}
exec({program!r}, place)
found = []
for arguments in {arguments!r}:
    try:
        found.append(repr(place[{name!r}](*arguments)))
    except BaseException as error:
        found.append(f"{{type(error).__name__}}")
print({mark!r}, ascii(found), file=out)
"""


@functools.cache
def told(program, name, arguments):
    """What the function gives back for each case, as text; nothing if the program fails."""
    mark = secrets.token_hex(8)
    harness = HARNESS.format(program=program, arguments=ast.literal_eval(arguments), name=name,
                             mark=mark)
    for line in sandbox.run(harness).splitlines():
        if line.startswith(mark + " "):
            return ast.literal_eval(line[len(mark) + 1:])
    return None


def equals(text, answer):
    """Whether a value in Python's notation is the answer, of its type."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return type(value) is type(answer) and value == answer


def passes(task, body):
    """Whether all cases come out right."""
    arguments = repr([given for given, _ in task.cases])
    found = told(task.prompt + body, task.name, arguments)
    answers = [answer for _, answer in task.cases]
    return (found is not None and len(found) == len(answers)
            and all(map(equals, found, answers)))


def cut(text):
    """A body up to the first line that is neither indented nor empty."""
    lines = []
    for line in text.split("\n"):
        if line.strip() and not line.startswith((" ", "\t")):
            break
        lines.append(line)
    return "\n".join(lines) + "\n"
