#!/usr/bin/env bash
# minijinja 3.1.0 and Jinja2 3.1.6: none is iterable in one of them.
#
# Guess: a loop over none is an error in both, as chat templates test it with `is iterable`.
# Seen:  minijinja says none is iterable and loops over nothing; Jinja2 says it is not and raises.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check minijinja==3.1.0 jinja2==3.1.6
"$folder/venv/bin/python" - <<'PYTHON'
import jinja2
import minijinja

TEMPLATES = ["{{ none is iterable }}", "{% for x in none %}x{% endfor %}end"]


def run(render):
    out = []
    for template in TEMPLATES:
        try:
            out.append(render(template).lower())
        except Exception as error:
            out.append(type(error).__name__)
    return out


seen = {
    "jinja2": run(lambda t: jinja2.Environment().from_string(t).render()),
    "minijinja": run(lambda t: minijinja.Environment().render_str(t)),
}
print(TEMPLATES, seen)
assert seen == {"jinja2": ["false", "TypeError"], "minijinja": ["true", "end"]}, "the behaviour has changed"
PYTHON
