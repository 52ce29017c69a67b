"""Snippets in the style of chat templates of 2024 to 2026, for template_snippets.py.

They have tools, calls, thoughts, namespaces, loops, macros, tests, filters, formats and white
space in many mixes. No line is of a real template.
"""

# What some snippets begin with.
TOOL = (
    "{% set tool = {'type': 'function', 'function': {'name': 'get_weather', 'description': "
    "'Weather \"now\" in a town <b>&', 'parameters': {'type': 'object', 'properties': {'town': {'type': "
    "'string', 'description': \"It's a town\", 'enum': ['Käln', 'Pokhara']}, 'days': {'type': ['integer', "
    "'null'], 'minimum': 1, 'default': none, 'scale': 0.5}}, 'required': ['town']}}} %}"
)
CALLS = (
    "{% set calls = [{'id': 'a1', 'type': 'function', 'function': {'name': 'get_weather', 'arguments': "
    "{'town': 'Pokhara', 'days': 3, 'deep': {'x': [1, 2.5, none, true]}}}}, {'id': 'a2', 'function': "
    "{'name': 'now', 'arguments': {}}}] %}"
)
TALK = (
    "{% set messages = [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Rain?'}, "
    "{'role': 'assistant', 'content': '', 'reasoning_content': 'I should ask.', 'tool_calls': [{'id': 'a1', "
    "'type': 'function', 'function': {'name': 'get_weather', 'arguments': {'town': 'Pokhara'}}}]}, {'role': "
    "'tool', 'content': '{\"rain\": true}', 'tool_call_id': 'a1', 'name': 'get_weather'}, {'role': 'tool', "
    "'content': [{'type': 'text', 'text': 'wet'}]}, {'role': 'assistant', 'content': "
    "'<think>\\nSo.\\n</think>\\n\\nYes.'}, {'role': 'user', 'content': 'Thanks'}] %}"
)

# One snippet on each line.
TOOLS = [TOOL + line for line in r"""
{{ tool|tojson }}
{{ tool|tojson(indent=2) }}
{{ tool|tojson(indent=4, ensure_ascii=True, sort_keys=True) }}
{{ tool|tojson(separators=(',', ':')) }}
{{ tool|tojson(indent=2, separators=(' ,', ' : ')) }}
{{ tool | tojson(ensure_ascii=False) | replace("'", "\\'") }}
{{ tool }}
{{ tool.function.name ~ ': ' ~ tool.function.description }}
{{ tool['function']['parameters']['properties']['town']['enum'] }}
{{ tool.function.parameters.properties.days.type|join(' | ') }}
{% for name, spec in tool.function.parameters.properties.items() %}{{ name }}: {{ spec.type if spec.type is string else spec.type|join('|') }}{{ ' = ' ~ spec.default if 'default' in spec }}{{ ', ' if not loop.last }}{% endfor %}
{% for name, spec in tool.function.parameters.properties|dictsort %}{{ loop.index }}{{ name }}{% if name in tool.function.parameters.required %}*{% endif %}{% endfor %}
{% for name in tool.function.parameters.properties %}{% set spec = tool.function.parameters.properties[name] %}{{ name }} {{ spec.description|default('-', true) }};{% endfor %}
{{ tool.function.parameters.properties|length }}{{ tool.function.parameters.properties.keys()|list|join(',') }}{{ tool.function.parameters.properties|list|last }}
{{ (tool.function if tool.type == 'function' else tool).name }}{{ (tool.function or tool).name }}{{ tool.get('function', tool).get('name') }}
{% if tool.function is defined %}{% set tool = tool.function %}{% endif %}{{ tool.name }}{{ tool|tojson|length }}
{% set tools = [tool, tool] %}{{ tools|map(attribute='function.name')|unique|join(', ') }}{{ tools|map(attribute='function')|map(attribute='name')|list }}
{% set tools = [tool] %}{%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}{{- '\n</tools>' }}
{% set tools = [tool] %}{{- '# Tools\n\n' if tools is iterable and tools | length > 0 }}{{ tools is not none and tools is not string }}
{% macro type_of(spec) %}{% if spec.type is string %}{{ spec.type }}{% elif spec.type is sequence %}{{ spec.type|map('upper')|join('/') }}{% else %}any{% endif %}{% endmacro %}{% for n, s in tool.function.parameters.properties.items() %}{{ n }}={{ type_of(s) }} {% endfor %}{{ type_of({}) }}
{% macro render(d, depth=0) %}{% for k, v in d.items() %}{{ '  ' * depth }}{{ k }}:{% if v is mapping %}{{ '\n' }}{{ render(v, depth + 1) }}{% elif v is iterable and v is not string %} [{{ v|join(', ') }}]{{ '\n' }}{% else %} {{ v }}{{ '\n' }}{% endif %}{% endfor %}{% endmacro %}{{ render(tool) }}
{% macro ts(spec) %}{%- if spec.enum -%}{{ '"' + spec.enum|join('" | "') + '"' }}{%- elif spec.type is not string -%}{%- for t in spec.type -%}{{ t }}{%- if not loop.last %} | {% endif -%}{%- endfor -%}{%- else -%}{{ spec.type }}{%- endif -%}{% endmacro %}{% for n, s in tool.function.parameters.properties.items() %}{{ n }}{{ '?' if n not in tool.function.parameters.required }}: {{ ts(s) }},{% endfor %}
{{ '{"name": "' ~ tool.function.name ~ '", "parameters": ' ~ (tool.function.parameters|tojson) ~ '}' }}
{{ tool.function.parameters.properties.days.default is none }}{{ tool.function.parameters.properties.town.default is defined }}{{ tool.function.parameters.properties.days.scale * 2 }}{{ tool.function.strict is true }}{{ tool.strict|default(false) }}
{{ dict(tool.function, name='other')|tojson }}
{{ {'tools': [tool.function]}|string|length }}{{ [tool.function.parameters.required, tool.type]|string }}
{{ tool|items|map('first')|list }}{{ tool.function|dictsort|map('first')|join }}{{ tool.function|dictsort(reverse=true)|map('first')|list }}
{{ tool.function.parameters.properties|dictsort(by='key')|first|first }}{{ tool.function.parameters.properties.items()|map(attribute=0)|list }}{{ tool.function.parameters.properties.values()|map(attribute='type')|list }}
""".strip("\n").split("\n")]

CALLED = [CALLS + line for line in r"""
{% for call in calls %}<tool_call>{{ '\n' }}{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments|tojson }}}{{ '\n' }}</tool_call>{% endfor %}
{% for call in calls %}{% if call.function is defined %}{% set call = call.function %}{% endif %}{{ call.name }}({% for k, v in call.arguments|items %}{{ k }}={{ v|tojson if v is not string else v }}{{ ', ' if not loop.last }}{% endfor %}){{ '' if loop.last else ';' }}{% endfor %}
{% for call in calls %}{{ call.id }}{{ call.type|default('function') }}{{ call.get('type') }}{{ call['function']['arguments'] | string }}{% endfor %}
{% for call in calls %}{{ loop.index0 }}:{{ call.function.arguments is mapping }}{{ call.function.arguments is string }}{{ call.function.arguments|length }}{% endfor %}
{% for call in calls %}{% for name, value in call.function.arguments.items() %}<parameter={{ name }}>{{ '\n' ~ (value|tojson if value is mapping or (value is sequence and value is not string) else value|string) ~ '\n' }}</parameter>{% endfor %}{% endfor %}
{% set ns = namespace(n=0, names=[]) %}{% for call in calls %}{% set ns.n = ns.n + 1 %}{% set ns.names = ns.names + [call.function.name] %}{% endfor %}{{ ns.n }}{{ ns.names }}{{ ns }}
{{ calls|map(attribute='function.arguments')|map('tojson')|join('|') }}{{ calls|selectattr('type', 'defined')|map(attribute='id')|first }}{{ calls|rejectattr('type', 'defined')|map(attribute='id')|list }}
{{ calls|selectattr('id', 'in', ['a2', 'a3'])|map(attribute='function.name')|list }}{{ calls|selectattr('function.arguments')|list|length }}{{ calls|map(attribute='function')|map(attribute='arguments')|map('length')|sum }}
{{ (calls|tojson)[:40] }}{{ calls[0].function.arguments.deep.x[1:] }}{{ calls[-1].function.arguments or 'none' }}{{ calls[5] is defined }}{{ calls[0].nothing is defined }}
{{ calls[0].function.arguments }}{{ calls[0].function.arguments.deep.x|tojson }}{{ calls[0].function.arguments.deep|string }}{{ calls[0]['function'].arguments['days'] + 1 }}
{% if calls and calls is not none and calls|length > 1 %}{{ raise_exception('Only one call, not ' ~ calls|length ~ ' as in ' ~ calls|map(attribute='id')|list) }}{% endif %}
{{ '%s(%s)' % (calls[0].function.name, calls[0].function.arguments.keys()|join(', ')) }}{{ "{name}: {n:03d}".format(name=calls[0].id, n=calls|length) }}
""".strip("\n").split("\n")]

TURNS = [TALK + line for line in r"""
{% for m in messages %}{{ m.role }}:{{ m.content if m.content is string else m.content|map(attribute='text')|join }}|{% endfor %}
{% set ns = namespace(tool=true, last=messages|length - 1) %}{% for m in messages[::-1] %}{% set i = messages|length - 1 - loop.index0 %}{% if ns.tool and m.role == 'user' and m.content is string and not (m.content.startswith('<r>') and m.content.endswith('</r>')) %}{% set ns.tool = false %}{% set ns.last = i %}{% endif %}{% endfor %}{{ ns.last }}
{% for m in messages %}{% if m.role == 'tool' %}{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}<user>{% endif %}<r>{{ m.content }}</r>{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}</user>{% endif %}{% else %}{{ m.role }} {% endif %}{% endfor %}
{% for m in messages %}{% if m.role == 'tool' %}{{ '<user>' if loop.previtem and loop.previtem.role != 'tool' }}{{ m.name }}{{ '</user>' if loop.last or (loop.nextitem.role != 'tool') }}{% endif %}{% endfor %}
{% for m in messages if m.role == 'assistant' %}{% set content = m.content %}{% set thoughts = '' %}{% if m.reasoning_content is string %}{% set thoughts = m.reasoning_content %}{% elif '</think>' in content %}{% set thoughts = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}[{{ thoughts }}][{{ content }}]{% endfor %}
{% for m in messages %}{% if loop.changed(m.role) %}<{{ m.role }}>{% endif %}{{ loop.cycle('.', ':') }}{% endfor %}
{% for m in messages %}{{ (m.tool_calls or [])|length }}{{ m.tool_calls is defined and m.tool_calls is not none }}{{ m.get('tool_calls', none) is none }} {% endfor %}
{% for m in messages %}{% for call in m.tool_calls %}{{ call.id }}{% else %}-{% endfor %}{% endfor %}
{{ messages|groupby('role')|map(attribute=0)|list }}{% for role, group in messages|groupby('role') %}{{ role }}{{ group|length }}{{ group|map(attribute='content')|map('string')|map('length')|list }}{% endfor %}
{{ messages|groupby('name', default='-')|map('first')|list }}{{ messages|map(attribute='name', default='?')|join }}
{{ messages|batch(3)|map('length')|list }}{% for row in messages|batch(2, none) %}{{ row|map(attribute='role')|join('+') if row[1] else row[0].role }};{% endfor %}
{{ messages|selectattr('role', 'ne', 'tool')|map(attribute='role')|join('>') }}{{ messages|rejectattr('role', 'equalto', 'tool')|list|length }}{{ messages|selectattr('content')|list|length }}{{ messages|selectattr('content', 'string')|list|length }}{{ messages|selectattr('content', 'iterable')|list|length }}
{{ messages|selectattr('role', 'in', 'usertool')|map(attribute='role')|list }}{{ (messages|selectattr('role', 'eq', 'user')|list)[-1].content }}{{ (messages|selectattr('role', 'eq', 'x')|list|last)|default('no') }}
{% if messages[0].role == 'system' %}{% set first, rest = messages[0].content, messages[1:] %}{% else %}{% set first, rest = none, messages %}{% endif %}{{ first }}{{ rest|length }}
{% for m in messages[1:] %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate: ' ~ loop.index0 ~ ' is ' ~ m.role) }}{% endif %}{% endfor %}
{% for m in messages %}{% if m.role not in ['system', 'user', 'assistant'] %}{{ raise_exception("Unknown role: '" + m['role'] + "'") }}{% endif %}{% endfor %}
{% set ns = namespace(prev='') %}{% for m in messages %}{% if m.role != ns.prev %}{% set ns.prev = m.role %}{{ m.role[0]|upper }}{% endif %}{% endfor %}
{% set ids = messages|map(attribute='tool_call_id')|select('defined')|list %}{{ ids }}{{ messages|map(attribute='tool_call_id')|list|length }}{{ messages|map(attribute='reasoning_content', default='')|select|list }}
{{ messages[2]|tojson }}{{ messages[4].content|tojson }}{{ messages[4].content[0].text }}{{ messages[4]['content'][0]['type'] == 'text' }}
{{ messages[5].content.split('</think>') }}{{ messages[5].content.partition('</think>')[2].strip() }}{{ messages[5].content|replace('\n', '\\n') }}
{%- for m in messages %}{%- if loop.first and m.role == 'system' %}{{- '<s>' + m.content }}{%- continue %}{%- endif %}{%- if m.role == 'tool' %}{%- break %}{%- endif %}{{- '<' + m.role + '>' }}{%- endfor %}{{- '<end>' }}
{% macro show(content) %}{% if content is string %}{{ content }}{% elif content is none or content is undefined %}{% else %}{% for part in content %}{% if part.type == 'text' or 'text' in part %}{{ part.text }}{% else %}<{{ part.type }}>{% endif %}{% endfor %}{% endif %}{% endmacro %}{% for m in messages %}{{ show(m.content)|trim }};{% endfor %}{{ show(none) }}{{ show([{'type': 'image'}]) }}
{% macro turn(role) %}<{{ role }}>{{ caller() }}</{{ role }}>{% endmacro %}{% for m in messages[:2] %}{% call turn(m.role) %}{{ m.content }}{% endcall %}{% endfor %}
{% macro turn(role) %}{{ caller(role|upper, n=2) }}{% endmacro %}{% call(r, n=1) turn('user') %}{{ r }}{{ n }}{% endcall %}{% macro maybe() %}{{ caller() if caller is defined else 'none' }}{% endmacro %}{{ maybe() }}{% call maybe() %}x{% endcall %}
{% set text %}{% for m in messages %}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}{% endset %}{{ text|length }}{{ text.split(',')|unique|sort|join('/') }}
{% set enable_thinking = enable_thinking|default(true) %}{% if add_generation_prompt %}<a>{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% else %}<think>{% endif %}{% endif %}
{{ '<a>' if add_generation_prompt and messages[-1].role != 'assistant' else '' }}{{ '' if add_generation_prompt else eos_token }}{{ bos_token ~ '|' if bos_token is defined and bos_token }}
{% set last = messages|last %}{{ last.role }}{{ last.content|trim|length }}{% set first = messages|first %}{{ first['content'] }}{{ (messages|map(attribute='role')|list).index('tool') }}{{ (messages|map(attribute='role')|list).count('user') }}
""".strip("\n").split("\n")]

PLAIN = r"""
{% set a = namespace(b=namespace(c=1)) %}{% set a.b.c = 2 %}{{ a.b.c }}
{% set ns = namespace(a=[], d={}) %}{% for i in range(3) %}{% set ns.a = ns.a + [i ** 2] %}{% set ns.d = dict(ns.d, **{'k' ~ i: i}) %}{% endfor %}{{ ns.a }}{{ ns.d }}
{% set ns = namespace(s='') %}{% for c in 'abc' %}{% set ns.s = c ~ ns.s %}{% endfor %}{{ ns.s }}{{ ns.s is string }}{{ ns is mapping }}{{ ns.t is defined }}
{% set ns = namespace(x=1) %}{% if true %}{% set ns.x = 2 %}{% endif %}{% macro m() %}{% set ns.x = 3 %}{% endmacro %}{{ ns.x }}{{ m() }}{{ ns.x }}
{% for i in range(4) %}{{ loop.previtem|default('-') }}{{ loop.nextitem|default('-') }}{{ loop.changed(i // 2) }} {% endfor %}
{% for x in [1, 1, 2, none, none] %}{{ loop.changed(x) }}{{ loop.changed(x, 1) }}{% endfor %}
{% for x in 'abcd' %}{{ loop.cycle('odd', 'even') }}{{ loop.revindex }}{% if loop.index is divisibleby 2 %}!{% endif %}{% endfor %}
{% for k, v in {'a': {'b': 1}, 'c': {}}.items() recursive %}{{ k }}{% if v is mapping and v %}({{ loop(v.items()) }}){% endif %}{{ loop.depth }}{% endfor %}
{% for i in range(3) %}{% set outer = loop %}{% for j in range(2) %}{{ outer.index }}{{ loop.index }}{{ outer.last and loop.last }} {% endfor %}{% endfor %}
{% for a in [1, 2, 3, 4, 5] if a is odd %}{{ a }}{{ loop.index }}{{ loop.length }}{{ loop.last }} {% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for i, x in [['x', 1]] %}{{ i }}{{ x }}{% endfor %}
{% for x in [] %}{% else %}a{% endfor %}{% for x in none or [] %}{% else %}b{% endfor %}{% for x in missing %}{% else %}c{% endfor %}{% for x in {} %}{% else %}d{% endfor %}
{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}{{ f(*[7, 8]) }}{{ f(**{'a': 1, 'b': 0}) }}{{ f(1, 2, 3)|length }}{{ f(1) ~ '!' }}
{% macro f() %}{% for k, v in kwargs.items() %}{{ k }}={{ v }};{% endfor %}{{ varargs|join(',') }}{% endmacro %}{{ f(1, 2, x=3, y='z') }}
{% macro outer(x) %}{% macro inner(y) %}{{ x }}{{ y }}{% endmacro %}{{ inner(1) }}{{ inner(2) }}{% endmacro %}{{ outer('a') }}
{% macro even(n) %}{% if n == 0 %}yes{% else %}{{ odd(n - 1) }}{% endif %}{% endmacro %}{% macro odd(n) %}{% if n == 0 %}no{% else %}{{ even(n - 1) }}{% endif %}{% endmacro %}{{ even(7) }}
{% macro pad(n) -%} {{ n }} {%- endmacro %}[{{ pad(1) }}][{{- pad(2) -}}][{{ pad(3)|trim }}]
{% filter upper|trim %} {{ 'a' }}b {% endfilter %}|{% filter replace('\n', ' ') %}a{{ '\n' }}b{% endfilter %}|{% filter indent(2) %}a{{ '\n' }}b{% endfilter %}
{% set x %} a {{ 1 }} {% endset %}[{{ x }}][{{ x|trim }}]{{ x is string }}{{ x|length }}{% set y | trim | upper %} b {% endset %}[{{ y }}]
{% set x = 'a' if false %}{{ x is defined }}[{{ x }}]{% set y = none if true %}{{ y is none }}{% set z = (1 if false else 2) + 1 %}{{ z }}
{% set a = b = 1 %}
{% set a, b = 'xy' %}{{ a }}{{ b }}{% set a, (b, c) = 1, (2, 3) %}{{ a + b + c }}
{% set d = {'a': 1} %}{% set d.a = 2 %}
{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{% with %}{{ a is defined }}{% endwith %}{% with x = 'y' %}{% set x = x ~ 'z' %}{{ x }}{% endwith %}{{ x }}
{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}
{{ true is boolean }}{{ 1 is boolean }}{{ 0 is false }}{{ true is true }}{{ 1 is integer }}{{ 1.0 is integer }}{{ 1.0 is float }}{{ '1' is number }}{{ none is string }}{{ [] is sequence }}{{ {}.items() is sequence }}{{ {}.items() is iterable }}{{ {}.items() is mapping }}
{{ 'a' is in 'abc' }}{{ 'a' is in ['b'] }}{{ 1 is not in [1] }}{{ 'a' is eq 'a' }}{{ 2 is gt(1) }}{{ 2 is lessthan 1 }}{{ 3 is ge 3 }}{{ 3 is le 2 }}{{ [] is sameas [] }}{{ none is sameas none }}{{ 1 is sameas true }}{{ 1 is sameas 1.0 }}
{{ 'a b' is lower }}{{ '1' is lower }}{{ 'A1' is upper }}{{ '' is upper }}{{ 4 is divisibleby 2 }}{{ -3 is odd }}{{ 0 is even }}{{ missing is undefined }}{{ missing is none }}{{ missing is string }}{{ missing is iterable }}{{ missing is sequence }}{{ missing is mapping }}{{ missing is callable }}
{{ range is callable }}{{ messages[0].get is callable }}{{ 'a'.upper is callable }}{{ namespace is callable }}{{ none is callable }}{{ dict is callable }}{{ raise_exception is defined }}{{ strftime_now is defined }}
{{ 'tojson' is filter }}{{ 'wordwrap' is filter }}{{ 'attr' is filter }}{{ 'nothing' is filter }}{{ 'sameas' is test }}{{ 'filter' is test }}{{ '<' is test }}{{ 'nothing' is test }}
{{ not missing }}{{ missing or 'x' }}{{ missing and 'x' }}|{{ missing == '' }}{{ missing != none }}{{ missing in [1] }}{{ 'a' in missing }}{{ missing ~ missing }}|{{ missing|list }}{{ missing|length }}{{ missing|string }}|{{ missing|trim }}|{{ missing|upper }}|{{ missing|join }}|{{ missing|first is defined }}{{ missing|default }}|
{{ missing|int }}
{{ missing|float }}
{{ missing|tojson }}
{{ missing|abs }}
{{ missing|sort }}{{ missing|map('upper')|list }}{{ missing|selectattr('x')|list }}{{ missing|unique|list }}{{ missing|reverse|list }}{{ missing|sum }}{{ missing|max is defined }}{{ missing|batch(2)|list }}{{ missing|groupby('x') }}
{{ missing|dictsort }}
{{ missing|replace('a', 'b') }}|{{ missing|indent }}
{{ missing|items|list }}{{ missing.items() }}
{{ missing[0] }}
{{ missing[1:] }}
{{ missing * 2 }}
{{ -missing }}
{{ '%s' % missing }}|{{ '{}'.format(missing) }}|{{ [missing] }}|{{ {'a': missing} }}|{{ (missing, 1) }}
{{ 'a' + missing }}
{{ none|trim }}|{{ none|string }}|{{ none|upper }}|{{ none|list is defined }}
{{ none|join }}
{{ none ~ 'a' }}{{ none == none }}{{ none in [none] }}{{ none is none }}{{ none or 'x' }}{{ [none]|join(',') }}{{ none|default('x') }}{{ none|default('x', true) }}{{ '%s' % none }}{{ [none, True, False] }}{{ none|tojson }}
{{ none.x }}
{{ None }}{{ True }}{{ False }}{{ none }}{{ true }}{{ false }}{{ NONE is defined }}{{ null is defined }}{{ TRUE is defined }}
{{ 1.0 }} {{ 100.0 }} {{ 1e5 }} {{ 1e-5 }} {{ 0.00001 }} {{ 1234567.891 }} {{ 1e15 }} {{ 1e16 }} {{ 1e17 }} {{ 123456789012345678 }} {{ 3.0 * 2 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 2 ** 0.5 }} {{ 10 ** -2 }} {{ 0.1 * 3 }} {{ -0.0 }} {{ 1.5e300 * 1e10 }}
{{ 5|float }}{{ 5.7|int }}{{ -5.7|int }}{{ '5.7'|float }}{{ ' 5 '|int }}{{ '5.0'|int }}{{ 'abc'|int(-1) }}{{ '10'|int(base=2) }}{{ 'ff'|int(base=16) }}{{ true|float }}{{ none|float }}{{ []|int }}{{ '1e2'|float }}
{{ 3.14159|round(2) }}{{ 3.5|round|int }}{{ 2.5|round }}{{ -2.5|round }}{{ 1.005|round(2) }}{{ 12345.678|round(-2) }}{{ 15|round(-1) }}{{ 25|round(-1) }}{{ 1250|round(-2, 'ceil') }}{{ 1250|round(-2, 'floor') }}{{ 3.7|round(method='floor') }}{{ 3.2|round(0, 'ceil')|int }}{{ 7|round(1) }}{{ 350.0|round(-2) }}{{ 0.5|round }}{{ 1.5|round }}
{{ (1.0).is_integer() }}{{ 3.0|string }}{{ 3.0 == 3 }}{{ 1 == true }}{{ 0.1 + 0.2 == 0.3 }}{{ 10 // 3 }}{{ -10 // 3 }}{{ 10 % -3 }}{{ 10.5 // 2 }}{{ -7.5 % 2 }}{{ 2 ** 10 }}{{ 2 ** 62 }}{{ 7 // 2.0 }}
{{ 'a' < 'b' < 'c' }}{{ 1 < 2 == true }}{{ 3 > 2 > 1 }}{{ 1 != 1.0 }}{{ 'a' in 'abc' in ['abc'] }}{{ not 1 in [1] }}{{ not (1 and 0) }}{{ 1 in [1] == true }}{{ 5 if 0 else 6 if 1 else 7 }}
{{ 2 * 3 ~ 'x' }}{{ 'a' ~ 'b' == 'ab' }}{{ 10 - 4 - 3 }}{{ 2 ** 3 ** 2 }}{{ -2 ** 2 }}{{ (-2) ** 2 }}{{ -1|abs }}{{ 2 - -1 }}{{ +1 }}{{ - 1 }}{{ 1 - +1 }}{{ 6 / 2 * 3 }}{{ 7 % 4 * 2 }}{{ 'x' * 2 ~ 'y' }}{{ 1 if not 0 }}
{{ +true }}{{ +1.5 }}{{ -(+3) }}{{ [+1, +2]|sum }}{{ +'5'|int }}
{{ 'a', 'b' }}{{ 1, }}{{ ('x' ~ 1), 2 }}{{ messages[0].role, messages|length }}{{ 'a' if false else 'b', 3 }}
{{ 'a', 'b'|upper }}{{ [1, 2], {'a': 1} }}{{- 1, 2 -}} {{ (1, 2)|join, 3 }}
{% set t = 1, %}{{ t }}{% set t = (1, 2), 3 %}{{ t }}{% set t = () %}{{ t }}{% for x in 1, 2, 3 %}{{ x }}{% endfor %}
{% set x = 'a', 'b' %}{{ x|join }}{% for a, b in (1, 2), (3, 4) %}{{ a * b }}{% endfor %}{% for x in ('a',) + ('b',) %}{{ x }}{% endfor %}
{{ "it's" }}{{ 'say "x"' }}{{ ["it's", 'say "x"', 'b\\s', 'both \' "'] }}{{ {'k"': "v'"} }}{{ ['a\nb', '\t', '\r', '\x00', 'é', '\u200b', '🙂', '\x85', '\xa0', '\xad', '\u3000', '\ufeff'] }}
{{ 'a\x41\u0042\U00000043\103\0\a\b\f\v'|tojson }}
{{ '\d+ \{ \% \. \s \- \$ \< \! \e \( \|' }}{{ "\'\"" }}{{ 'tab\there' }}{{ '\\n' }}{{ '\/' }}{{ '\u00e9\u4e2d' }}{{ '\x7f'|length }}
{{ '\18' }}{{ '\1'|length }}{{ '\377' }}{{ '\x00\x7f'|length }}
{{ 'é🙂'|tojson }}{{ 'é🙂'|tojson(ensure_ascii=true) }}{{ '</script>&\''|tojson }}{{ '\u2028\x7f\x1f'|tojson }}{{ {'é': 'ß'}|tojson(ensure_ascii=true) }}
{{ {'b': 1, 'a': {'d': 2, 'c': 3}}|tojson(sort_keys=true) }}{{ [3, 1]|tojson(sort_keys=true) }}{{ {}|tojson(indent=2) }}{{ []|tojson(indent=2) }}{{ {'a': []}|tojson(indent=2) }}{{ [1, [2, {'a': 3}]]|tojson(indent=1) }}
{{ {'a': 1}|tojson(indent=none) }}{{ {'a': 1, 'b': [1, 2]}|tojson(indent='\t') }}{{ {'a': 1, 'b': 2}|tojson(indent=2, separators=(',', ': ')) }}{{ {'a': 1}|tojson(false, 4) }}{{ {1: 2, 1.5: 3, none: 4, true: 5}|tojson }}
{{ 'a'|tojson(indent=4) }}{{ 1.0|tojson }}{{ 1e100|tojson }}{{ [true, none, 1.50, 'x']|tojson }}{{ (1, (2,))|tojson }}{{ messages[0].content|tojson }}{{ {'a': (1, 2)}|tojson(separators=(';', '=')) }}
{{ [1, 2, 3, 4, 5][1:4:2] }}{{ 'abcdef'[-3:-1] }}{{ 'abc'[::-1] }}{{ [1, 2, 3][:-5] }}{{ [1, 2, 3][5:] }}{{ (1, 2, 3)[::2] }}{{ 'abc'[none:2] }}{{ range(10)[::3]|list }}{{ [1, 2, 3][-1] }}{{ 'नमस्ते'[::-1] }}
{{ 'a.b.c'.split('.', 1) }}{{ 'a  b'.split(' ') }}{{ 'a,b;c'.replace(',', ';').split(';') }}{{ 'x=1'.partition('=') }}{{ 'abc'.rpartition('z') }}{{ '\n\na\n'.strip('\n') }}{{ 'xxabxx'.strip('x') }}{{ 'a b'.split()|join('_') }}{{ 'a\n b'.splitlines() }}
{{ 'Hello'.startswith(('He', 'x')) }}{{ 'Hello'.endswith('lo') }}{{ 'hello'.find('l') }}{{ 'hello'.rfind('l') }}{{ 'hello'.count('l') }}{{ 'hello'.index('e') }}{{ 'hello'.title() }}{{ 'HELLO'.casefold() }}{{ 'x'.join(['a', 'b']) }}{{ 'abc'.zfill(5) }}{{ 'a'.ljust(3, '.') }}{{ 'abc'.removesuffix('c').removeprefix('a') }}
{{ '12'.isdigit() }}{{ '1²'.isdigit() }}{{ '½'.isdigit() }}{{ '½'.isnumeric() }}{{ '一二'.isnumeric() }}{{ '一'.isdigit() }}{{ '²'.isdecimal() }}{{ '१२'.isdigit() }}{{ '१'.isdecimal() }}{{ '①'.isdigit() }}{{ 'Ⅷ'.isnumeric() }}{{ 'Ⅷ'.isdigit() }}{{ '-1'.isdigit() }}{{ 'ǅ'.istitle() }}{{ 'ª'.islower() }}{{ '_a1'.isidentifier() }}{{ '1a'.isidentifier() }}{{ 'if'.isidentifier() }}{{ '²'.isalnum() }}{{ 'ं'.isalpha() }}{{ '①'.isalpha() }}
{{ 'straße'.upper() }}{{ 'ΣΑΣ'.lower() }}{{ 'ŉ'.upper() }}{{ 'ǆ'.capitalize() }}{{ 'İ'.lower()|length }}{{ 'ﬀ'.title() }}{{ 'ẞ'.casefold() }}{{ 'ﬁ'.casefold() }}{{ 'ΌΣΟΣ'|lower }}{{ 'ß'.swapcase() }}{{ "o'neill mc-donald"|title }}{{ "o'neill".title() }}
{{ '{a} {b[0]}'.format_map({'a': 1, 'b': [2]}) }}{{ '{x}'.format_map({'x': messages[0].role}) }}
{{ 'abc'.translate({97: 'X', 98: none, 99: 100}) }}{{ 'abc'.translate({}) }}{{ ''.maketrans('ab', 'xy') }}{{ 'aabb'.translate(''.maketrans('ab', 'xy')) }}{{ 'abc'.translate(''.maketrans({'a': 'zz'})) }}{{ 'abc'.translate(''.maketrans('a', 'b', 'c')) }}
{{ messages[0]|attr('role') is defined }}{{ 'a'|attr('upper') is defined }}{{ 'a'|attr('nothing') is defined }}{{ ('a'|attr('upper'))() }}{{ ({'a': 1}|attr('keys'))()|list }}
{{ 'a bb ccc dddd'|wordwrap(5) }}|{{ 'aaaaaaaaaa b'|wordwrap(4) }}|{{ 'aaaaaaaaaa b'|wordwrap(4, false) }}|{{ 'one two\nthree four five'|wordwrap(9, wrapstring=' / ') }}|{{ 'well-known long-winded'|wordwrap(8) }}|{{ 'well-known long-winded'|wordwrap(8, break_on_hyphens=false) }}|{{ ''|wordwrap(5) }}|{{ '  a   b  '|wordwrap(4) }}
{{ '<p>Hi &amp; <!-- no --> <b>there</b>\n  you</p>'|striptags }}|{{ 'a < b > c'|striptags }}|{{ '&lt;x&gt; &quot;&#39;&#x41;&amp;amp;'|striptags }}|{{ 'no tags'|striptags }}
{{ 'a b/c?d=é&f~g'|urlencode }}{{ {'a b': 'c&d', 'e': 1}|urlencode }}{{ [('x', 'y z'), ('q', '/')]|urlencode }}{{ 5|urlencode }}{{ ''|urlencode }}
{{ {'class': 'a "b"', 'n': 1, 'gone': none, 'x': missing}|xmlattr }}|{{ {}|xmlattr }}|{{ {'a': true}|xmlattr(false) }}
{{ {'a b': 1}|xmlattr }}
{{ 0|filesizeformat }}{{ 1|filesizeformat }}{{ 999|filesizeformat }}{{ 1000|filesizeformat }}{{ 123456789|filesizeformat }}{{ 1024|filesizeformat(true) }}{{ 5000000|filesizeformat(binary=true) }}{{ '2048'|filesizeformat }}{{ 1.5|filesizeformat }}{{ 1e30|filesizeformat }}
{{ '<&>"\''|e }}{{ '<'|forceescape }}{{ '<'|e|forceescape }}{{ '<' ~ '>'|e }}{{ ('<'|e) ~ '<' }}{{ '<'|e|upper }}{{ '<'|safe }}{{ ('<'|safe) ~ '<' }}{{ '<'|e is string }}
{{ ('<'|e) + '&' }}{{ '%s'|e % '<' }}{{ ('<'|e).replace('&', '<') }}{{ ['<', '>'|e]|join('&') }}{{ ['<'|e] }}{{ '&' + ('<'|safe) }}{{ '<'|escape|escape }}{{ '<'|e is escaped }}
{{ '{} {}'|e.format('<', '&'|e) if false else ('{} {}'|e).format('<', '&'|e) }}{{ ('a<b'|safe).split('<') }}{{ ('-'|e).join(['<', '>'|e]) }}{{ ('x'|safe) * 2 + '<' }}{{ ('<b>'|safe)[1:] + '<' }}{{ ('<b>'|safe)|upper + '<' }}{{ (' <'|safe).strip() + '<' }}
{{ '<' + messages[2]|tojson|safe + '>' if false else messages[2].reasoning_content|safe + '&' }}{{ ('<'|e)|tojson }}{{ ('<'|safe)|replace('<', '>') + '<' }}{{ '%s %d %r' % ('<'|e, 1, '<'|e) }}{{ ('%s %d'|safe) % ('<', 1) }}
{% autoescape true %}{{ '<' }}{{ '<'|safe }}{{ '<' ~ '>' }}{{ 1 }}{{ ['<'] }}{% endautoescape %}{{ '<' }}
{% autoescape false %}{{ '<' }}{% endautoescape %}{% autoescape true %}{{ messages[2].reasoning_content }}{% autoescape false %}{{ '&' }}{% endautoescape %}{% endautoescape %}
{% autoescape true %}{% set x %}<{{ '<' }}>{% endset %}{{ x }}{% macro m(y) %}<{{ y }}{% endmacro %}{{ m('&') }}{% set l = '<' %}{{ l ~ ('<'|safe) }}{{ l + ('<'|safe) }}{{ l ~ '>' }}{{ {'a': l}|tojson }}{% for c in '<&' %}{{ c }}{% endfor %}{% endautoescape %}
{% block a %}x{% block b %}y{% endblock %}{% endblock %}{% block c scoped %}{{ messages|length }}{% endblock c %}
{% for i in range(2) %}{% block row scoped %}{{ i }}{% endblock %}{% endfor %}{% set x = 1 %}{% block x %}{{ x is defined }}{% endblock %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% block a %}{% endblock b %}
{{ [3, 1, 2]|sort|join }}{{ ['b', 'A', 'a']|sort }}{{ [{'n': 2}, {'n': 1}]|sort(attribute='n')|map(attribute='n')|list }}{{ 'bca'|sort }}{{ {'b': 1, 'a': 2}|sort }}{{ [[2, 'x'], [1, 'y']]|sort }}{{ [true, 0, 2.5]|sort(reverse=true) }}
{{ [1, 2, 3, 4]|select('even')|list }}{{ ['a', '', none, 0]|select|list }}{{ ['a', 'B']|reject('upper')|list }}{{ [1, 'a', none]|select('string')|list }}{{ [1, 5, 3]|select('greaterthan', 2)|list }}{{ [{'a': 1}, {}]|selectattr('a', 'undefined')|list }}{{ [1, 2]|map('string')|list }}
{{ ['a', 'b']|map('format')|list }}{{ ['x%s']|map('format', 1)|list }}{{ [' a ']|map('trim')|map('upper')|join }}{{ ['ab']|map('replace', 'a', 'c')|first }}{{ [[1, 2], [3]]|map('sum')|list }}{{ [{'a': [1, 2]}]|map(attribute='a.1')|list }}{{ [1, 2]|map('tojson')|join(',') }}
{{ 'abc'|first }}{{ 'abc'|last }}{{ [[1, 2]]|first|last }}{{ {'a': 1}|first }}{{ 'abc'|reverse }}{{ [1, 2]|reverse|list }}{{ [1, 2, 3]|sum }}{{ [1, 2]|min }}{{ 'abc'|max }}{{ ['x', 'y']|join(', ', attribute=none) }}{{ [1.5, 2]|sum }}{{ 'hello world'|wordcount }}{{ 'a'|center(5)|length }}
{{ [1, 2, 3, 4, 5, 6, 7]|slice(3)|list }}{{ [1, 2, 3, 4, 5, 6, 7]|batch(3)|list }}{{ [1, 2, 3]|batch(2, '-')|list }}{{ range(4)|slice(2)|map('sum')|list }}{{ ['a', 'b', 'A']|unique|list }}{{ [1, 1.0, true, '1']|unique|list }}{{ [[1], [1]]|unique|list }}
{{ {'b': 1, 'a': 2, 'C': 0}|dictsort }}{{ {'b': 1, 'a': 2}|dictsort(by='value') }}{{ {'b': 1, 'a': 2}|dictsort(reverse=true) }}{{ {'b': 1, 'B': 2}|dictsort(true) }}{{ {2: 'x', 1: 'y'}|dictsort }}{{ {'a': 1}|items|list }}{{ {'a': 1}|list }}
{{ 'a\nb\n\nc'|indent(2) }}|{{ 'a\nb'|indent(4, first=true) }}|{{ 'a\n\nb'|indent(1, blank=true) }}|{{ 'a'|indent }}|{{ 'a\nb'|indent('\t') }}|{{ 'a\n'|indent(2) }}|{{ '\na'|indent(2) }}
{{ 'one two three'|truncate(8) }}|{{ 'one two three'|truncate(8, true, '') }}|{{ 'one two three'|truncate(12) }}|{{ 'one two three'|truncate(12, leeway=0) }}|{{ 'abc'|truncate(3, true, '..', 0) }}|{{ 'नमस्ते दुनिया'|truncate(5, true, '…', 0) }}
{{ '%5d|%-5d|%05d|%+d|%x|%o|%e|%.3f|%g|%s|%r|%%' % (42, 42, 42, 42, 255, 8, 12345.678, 3.14159, 0.00001234, 'a', 'a') }}{{ '%(k)s=%(v).1f' % {'k': 'x', 'v': 2.25} }}{{ '%s' % 'a' }}{{ '%s %s' % ('a', none) }}{{ '%d%%' % 50.9 }}{{ '%10.3s|' % 'abcdef' }}{{ '%c%c' % (65, 'b') }}{{ '%s' % [1, 2] }}{{ '%s' % ((1, 2),) }}
{{ '%#o %#X % d %E %G %i' % (8, 255, 5, 1.5, 1e-10, -3) }}{{ '%a' % 'é🙂' }}{{ '%.2E' % 0.00012 }}{{ '%-8s|%8s|' % ('ab', 'cd') }}{{ '%.0f %.1f' % (2.5, 0.05) }}{{ '%s: %s'|format('a', [1]) }}{{ '%(a)d'|format(a=3) }}
{{ '{:>8}|{:^8}|{:<8}|{:08.3f}|{:,}|{:+}|{:x}|{:#b}|{:e}|{:%}|{!r}|{!s:>4}'.format('a', 'b', 'c', 3.14159, 1234567, 5, 255, 5, 12345.678, 0.25, 'q', 'z') }}{{ '{0} {1} {0}'.format('a', 'b') }}{{ '{a.b} {c[k]}'.format(a=messages, c={'k': 1}) }}
{{ '{{}} {}'.format(1) }}{{ '{:d}'.format(true) }}{{ '{}'.format(true) }}{{ '{}'.format(none) }}{{ '{:>6}'.format('é') }}{{ '{:.2}'.format('abc') }}{{ '{:5}|{:5}|'.format(1, 'a') }}{{ '{:s}'.format('x') }}{{ '{:,.1f}'.format(12345.67) }}{{ '{:_x}'.format(1048576) }}{{ '{:g} {:g}'.format(1e6, 123456789.0) }}{{ '{} {}'.format(1.0, 1e20) }}{{ '{:n}'.format(5) }}
{{ '{:^7}|{:*<5}|{:=+5}|{:-}|{: }'.format('ab', 1, 2, 3, 4) }}{{ '{!a}'.format('é') }}{{ '{:10.4}|'.format(3.14159265) }}{{ '{:c}'.format(65) }}{{ '{:.3e}'.format(0.00012345) }}{{ '{:#x}'.format(255) }}{{ '{0!r:>6}'.format('a') }}{{ '{0[1]}'.format([1, 2]) }}
{{ '{:s}'.format(1) }}
{{ '{}'.format([1, 'a', none, {'b': 1.0}]) }}{{ '{}'.format((1,)) }}{{ '%s' % {'a': "it's"} }}{{ [1, ['a', (2, 'b')], {'c': {'d': []}}]|string }}{{ [{'a': none}, true]|join('; ') }}{{ ('a', ("b'", 'c"'))|string }}
{{ [1, 2] + [3] }}{{ [1] * 3 }}{{ (1,) * 2 }}{{ [[]] * 2 }}{{ [1, 2] == [1, 2] }}{{ {'a': 1} == {'a': 1} }}{{ (1, 2) < (1, 3) }}{{ [] or 'x' }}{{ {} or 'y' }}{{ [0] and 'z' }}{{ 1 in {1: 2} }}{{ 'k' not in {'k': 1} }}{{ (1, 2) in [(1, 2)] }}
{{ {'a': 1, 'b': {'c': [1, 2]}}.b.c[0] }}{{ {'a': 1}.get('z', 'd') }}{{ {'a': 1}['z']|default('d') }}{{ {'keys': 1}.keys }}{{ {'keys': 1}['keys'] }}{{ {'a': 1}.items()|list }}{{ {'a': 1, 'b': 2}.values()|sum }}{{ {'x': 1}.x }}{{ {1: 'a'}[1] }}{{ {'a': 1, 'a': 2} }}
{{ dict(a=1, **{'b': 2}) }}{{ dict([['k', 1]]) }}{{ dict(zip=1).zip }}{{ dict({'a': 1}.items()) }}{{ dict(a=1) == {'a': 1} }}{{ dict(messages[0]).role }}{{ dict(a=1)|length }}
{{ range(3)|list + [9] }}{{ range(5)|select('odd')|list }}{{ range(1, 4)|join('-') }}{{ range(3)|last }}{{ 2 in range(3) }}{{ range(5, 1, -2)|list }}{{ range(3)|string }}{{ range(0) }}{{ range(2)|length }}{{ range(10)[2] }}{{ range(3) == range(0, 3) }}
{{ strftime_now('%Y-%m-%d %H:%M:%S') }}{{ strftime_now('Today is %A, %d %B %Y.') }}{{ strftime_now('%b %d, %Y') }}{{ strftime_now('%d %b %Y')|upper }}{{ strftime_now('') }}{{ strftime_now('100%%') }}{{ strftime_now('%-d.%-m.%y %-I %p') }}
{{ strftime_now('%U %W %V %G %u %w %C %c') }}{{ strftime_now('%f|%z|%Z|%n|%t|%k|%l|%s'[:11]) }}{{ strftime_now('%h %g %e %r') }}{{ strftime_now('%-y %-j %-U %_d %^a %^B') }}
{{ cycler('a', 'b').next() }}{% set c = cycler(1, 2, 3) %}{% for i in range(5) %}{{ c.next() }}{% endfor %}{{ c.current }}{% set j = joiner() %}{% for i in 'ab' %}{{ j() }}{{ i }}{% endfor %}
{% if missing is defined and missing.x %}a{% elif missing is not defined or missing %}b{% endif %}{% if not missing %}c{% endif %}{% if messages and messages[0] %}d{% endif %}{% if '' or 0 or [] or {} or none %}e{% else %}f{% endif %}
{% if 1 %}{% if 0 %}a{% else %}{% if 1 %}b{% endif %}{% endif %}{% endif %}{% if 0 %}a{% elif 0 %}b{% elif 1 %}c{% else %}d{% endif %}{% if 1 == 1 and not 2 == 3 or 4 %}e{% endif %}
{% generation %}a{% set g = 1 %}{{ g }}{% endgeneration %}{{ g is defined }}{% for i in range(2) %}{%- generation -%} {{ i }} {%- endgeneration -%}{% endfor %}
{# comment #}a{#- b -#} c {#+ d +#} e{# {{ x }} {% if %} #}f
{{ '{# no #}' }}{{ '{% no %}' }}{{ '{{ no }}' }}{{ "}}" }}{{ '%}' }}{# '#}'{{ 1 }}
{% raw %}{{ x }}{% if %}{# y #}{% endraw %}|{% raw -%} a {%- endraw %}|{%- raw %} b {% endraw -%} |
{{"a"}}{{1}}{%if 1%}b{%endif%}{{-1-}}{{- 1 -}}{{+1}}{{ {'a':1}['a']}}{{[1,2][0]}}{{{'a':{'b':2}}}}
{{ messages[0] . role }}{{ messages [0] ['role'] }}{{ messages[0].role|upper|lower }}{{ messages[0].role | upper | lower }}{{ ( 'a' ) }}{{ 'a'  ~  'b' }}
{{ messages.0.role }}{{ messages[0]['ro' ~ 'le'] }}{{ (messages|first).role }}{{ messages[-1].content.split('\t')[1] }}{{ messages[2]['content'].split('</think>')[-1]|trim }}{{ [messages[0]][0].role }}{{ messages[1:][0].role }}
{{ messages[1].content|trim ~ ' ' ~ messages[3].content|upper|replace('\t', ' ') }}{{ messages[1].content.split(' ', 2) }}{{ messages[2].content|tojson }}{{ messages[3].content|length }}{{ messages[2].content|e }}{{ messages[3].content|urlencode }}
{{ 'x'|pprint }}{{ [1, 'a', none]|pprint }}
{{ messages|map(attribute='role')|list|tojson }}{{ messages|map(attribute='role') is iterable }}{{ messages|map(attribute='role') is string }}{{ (messages|map(attribute='role'))|length if false else 'n' }}
{{ messages|map(attribute='role')|length }}
{% set x = messages|map(attribute='role') %}{{ x|list|length }}{{ x|list|length }}{% set y = messages|selectattr('name') %}{% if y %}{{ (y|first).name }}{% endif %}
{{ 'a' if messages[0].role == 'system' and messages[0].content|length > 3 and not tools else 'b' }}{{ tools or 'none' }}{{ tools is iterable }}{{ tools is defined and tools }}{{ documents|default([], true)|length }}
{{ (1, 2, 3)|list }}{{ (1, 2) + (3,) }}{{ (1, 2)|tojson }}{{ ()|length }}{{ (1)|string }}{{ (1,)|string }}{{ ('a' 'b') }}{{ ((1, 2), (3, 4))|map('last')|list }}{{ {'a': 1}|items|first }}{{ (2, 1)|sort }}
{{ caller is defined }}{{ varargs is defined }}{{ loop is defined }}{{ super is defined }}{{ context is defined }}{{ environment is defined }}{{ namespace is defined }}{{ zip is defined }}{{ enumerate is defined }}{{ max is defined }}
""".strip("\n").split("\n")

BLOCKS = [
    "{%- if messages[0].role == 'system' %}\n    {{- messages[0].content + '\\n\\n' }}\n{%- endif %}\n{%- for m in messages[1:] %}\n    {{- '<' ~ m.role ~ '>' }}\n    {%- if m.content is string %}\n        {{- m.content }}\n    {%- endif %}\n    {{- '</' ~ m.role ~ '>\\n' }}\n{%- endfor -%}\n",
    "{% for m in messages %}\n    {% if loop.first %}\n        first\n    {% elif loop.last %}\n        last\n    {% else %}\n        {{ m.role }}\n    {% endif %}\n{% endfor %}\n\n\n",
    "a\n    {%- set x = 1 %}\n    {%- set y = 2 -%}\n    b\n    {% set z = 3 %}\n    c{{ x + y + z }}\n",
    "  {%+ set x = 1 +%}  \n  {{ x }}  \n  {%+ if x %}  \n y {%- endif +%}\n z",
    "\t{% if true %}\n\t\ta\n\t{% else %}\n\t\tb\n\t{% endif %}\n",
    "a {%- if true -%} b {%- endif -%} c\n{{- 'd' -}}\n e {{ 'f' -}} \n g",
    "{#- a -#}\n{# b #}\n\n{#- c #}\nx\n  {#- d -#}  \ny",
    "{% macro a() -%}\n  x\n{% endmacro -%}\n\n{%- macro b() %}\n  y\n{%- endmacro %}\n\n{{ a() }}|{{ b() }}|\n",
    "{% macro a(t) %}\n  <{{ t }}>\n  {{ caller() }}\n{% endmacro %}\n{% call a('p') %}\n  in\n{% endcall %}\nend\n",
    "{% filter trim %}\n\n  a\n\n{% endfilter %}\nb\n{% set t %}\n x\n{% endset %}\n[{{ t }}]\n",
    "{% raw %}\n  {% if x %}\n{% endraw %}\n  end\n",
    "{% raw -%}\n\n  {{ x }}\n\n{%- endraw %}\n\n  end\n",
    "x\n  {%- raw %}\n a \n  {%+ endraw %}\n b",
    "x {% raw %} a {% endraw %} \ny {%+ raw %} \n b {% endraw +%}\nz",
    "{% raw %}{% endraw %}\n{% raw %}\n{% endraw %}\n|",
    "{% block a %}\n  x\n{% endblock %}\n  {% block b -%}\n  y\n  {%- endblock b %}\nz",
    "{% autoescape true %}\n  {{ '<' }}\n{% endautoescape %}\nx",
    "{{ 'a' }}\n\n{{ 'b' -}}\n\n{{ 'c' }}{# x #}\n{{- 'd' }}\n",
    "{%- set ns = namespace(out='') -%}\n{%- for m in messages -%}\n  {%- set ns.out = ns.out ~ m.role[:1] -%}\n  {%- if not loop.last -%}{%- set ns.out = ns.out ~ ',' -%}{%- endif -%}\n{%- endfor -%}\n{{ ns.out }}\n",
    "{%- macro show(value, depth) -%}\n    {%- if value is mapping -%}\n        {{- '{\\n' -}}\n        {%- for k, v in value.items() -%}\n            {{- '  ' * (depth + 1) ~ k ~ ': ' -}}\n            {{- show(v, depth + 1) -}}\n            {{- ',\\n' if not loop.last else '\\n' -}}\n        {%- endfor -%}\n        {{- '  ' * depth ~ '}' -}}\n    {%- elif value is iterable and value is not string -%}\n        {{- '[' ~ value|map('string')|join(', ') ~ ']' -}}\n    {%- else -%}\n        {{- value|tojson -}}\n    {%- endif -%}\n{%- endmacro -%}\n{{ show({'a': {'b': [1, 'x'], 'c': none}, 'd': 1.0}, 0) }}\n",
    "{{ bos_token }}{% for m in messages %}\n{% if m['role'] == 'user' %}\n{{ '[INST] ' + m['content']|trim + ' [/INST]' }}\n{% elif m['role'] == 'assistant' %}\n{% generation %}\n{{ ' ' + m['content']|trim + eos_token }}\n{% endgeneration %}\n{% endif %}\n{% endfor %}",
    "a\u00a0{%- if true %}\u2003b\u2003{%- endif %}\u3000{%- set x = 1 -%}\u200bc\x0b{%- set x = 1 -%}\x0cd",
    "a\u00a0\n\u00a0{% if true %}\u00a0\nb{% endif %}\u2003\n\u2003{# c #}\nd",
    "a\r\n  {% if true %}\r\n  b\r  {% endif %}\rc\n\r{{ '\\r\\n'|length }}\r\n\r\n",
    "{% for x in [1, 2] -%}\n  {{ x }}\n  {%- if not loop.last %}, {% endif %}\n{%- endfor %}\n{%- for x in [] %}\n{%- else %}\n  none\n{%- endfor %}.",
    "{%\n  for x in [1, 2]\n%}\n{{\n  x\n}}\n{%\n  endfor\n%}\nend",
    "{% set long = [\n  'a',\n  'b',\n] %}\n{{ long | join(\n  ', '\n) }}\n{% set d = {\n  'k': 1,\n} %}\n{{ d }}",
    "line {{ 1 }} {# c #} more\n{# whole line #}\n    {# indented #}   \nend {# tail #}\n",
    "{%- for m in messages if m.role != 'system' -%}{{ loop.index0 }}{{ m.role }}\n{% endfor %}\n{{- '' -}}\n",
    "{% if false %}\nno\n{% endif %}\n{% if true %}yes{% endif %}\n{% if true %}\n{% endif %}\n.",
]


def snippets():
    return TOOLS + CALLED + TURNS + PLAIN + BLOCKS
