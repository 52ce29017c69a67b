"""Small templates in, prompts as transformers renders them out.

    python template_snippets.py PATH

writes PATH, which is tests/chat_templates/snippets.json; tests/it/chat_snippets.rs reads it.
requirements: transformers 5.23.0 (it needs no torch for this), jinja2 3.1.6.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import jinja2
import template_turns
import transformers
from transformers.utils import chat_template_utils

DATE = "2026-11-28"
MESSAGES = [
    {"role": "system", "content": "Be brief.\n"},
    {"role": "user", "content": "The cat sat on  the mat"},
    {"role": "assistant", "content": '<think>hm</think>\n\nOK, it\'s "done".', "reasoning_content": "why & <how>"},
    {"role": "user", "content": "नेपाल ÄÖ ß\t1.5", "name": "Ann"},
]


class Day(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return cls.strptime(DATE, "%Y-%m-%d")


chat_template_utils.datetime = Day

# One template on each line of a group, or in triple quotes if it has several lines.
LINES = r"""
{{ messages[0].content|trim }}|{{ messages[-1]['name'] }}|{{ messages[1].name is defined }}
{{ messages[2].reasoning_content }}|{{ messages[2].thinking }}|{{ messages[2].reasoning is defined }}
{{ messages[2]|tojson }}
{{ messages[3] }}
{{ messages[3].items()|list }}
{{ messages[3].keys()|list }}{{ messages[3].values()|list }}
{{ messages[2].keys()|list }}
{{ messages|map(attribute='role')|join(', ') }}
{{ messages|map(attribute='name', default='nobody')|list }}
{{ messages|map('length')|list }}
{{ messages|map(attribute='content')|map('upper')|list|last }}
{{ messages|map(attribute='content')|map('replace', 'the', 'a')|list }}
{{ messages|map(attribute='content')|map('truncate', 9, true, '…')|list }}
{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }}
{{ messages|selectattr('role', '==', 'user')|list|length }}
{{ messages|rejectattr('role', 'in', ['user', 'system'])|map(attribute='role')|list }}
{{ messages|selectattr('name', 'defined')|list|length }}{{ messages|rejectattr('name')|list|length }}
{{ messages|selectattr('content', 'string')|list|length }}
{{ messages|selectattr('name', 'undefined')|map(attribute='role')|unique|list }}
{{ (messages|selectattr('role', 'equalto', 'tool')|list|first) is undefined }}
{{ (messages|selectattr('role', 'equalto', 'tool')|first)['content'] }}
{{ messages|groupby('role')|map('first')|list }}
{% for role, group in messages|groupby('role') %}{{ role }}:{{ group|length }} {% endfor %}
{% for g in messages|groupby(attribute='role') %}{{ g.grouper }}={{ g.list|map(attribute='content')|first|length }};{% endfor %}
{{ messages|sum(attribute='content') if false else messages|map(attribute='content')|map('length')|sum }}
{{ [1, 2, 3]|sum(start=10) }}|{{ [[1], [2, 3]]|sum(start=[]) }}
{{ [3, 1, 2]|sort }}{{ ['b', 'A', 'c']|sort }}{{ ['b', 'A', 'c']|sort(case_sensitive=true) }}{{ [3, 1, 2]|sort(reverse=true) }}
{{ messages|sort(attribute='role,content')|map(attribute='role')|list }}
{{ messages|sort(attribute='content')|map(attribute='role')|list }}
{{ {'b': 2, 'A': 3, 'c': 1}|dictsort }}{{ {'b': 2, 'A': 3}|dictsort(true) }}{{ {'b': 2, 'A': 3, 'c': 1}|dictsort(by='value') }}{{ {'b': 2, 'A': 3}|dictsort(false, 'value', true) }}
{{ {'a': 1, 'b': none}|items|list }}{{ {'a': 1}|items }}
{% for k, v in {'a': 1, 'b': [2]}|items %}{{ k }}={{ v }};{% endfor %}
{% for k, v in missing|items %}{{ k }}{% endfor %}none
{{ {'a': 1, 'b': 2}.items() }}{{ {'a': 1}.keys() }}{{ {'a': 1}.values() }}
{{ {'a': 1}.get('a') }}{{ {'a': 1}.get('b') }}{{ {'a': 1}.get('b', 'c') }}{{ {'a': {'b': 1}}.a.b }}{{ {'a': 1}['b'] is defined }}
{{ {'a': 1}|length }}{{ 'a' in {'a': 1} }}{{ 1 in {'a': 1}.values() }}{{ ('a', 1) in {'a': 1}.items() }}
{{ {'get': 5}.get }}
{{ {1: 'x', none: 'y', true: 'z', 1.5: 'w'} }}
{{ {1: 'x', none: 'y', 1.5: 'w', true: 'z'}|tojson }}
{{ {} }}{{ [] }}{{ () }}{{ (1,) }}{{ '' }}|{{ none }}{{ true }}{{ 1.0 }}{{ 1e3 }}{{ 10**20 if false else 10**2 }}
{{ [1, 2.50, 'a', "it's", 'say "hi"', 'both \' and "', none, true, [], {}, ()] }}
{{ ['\n', '\t', '\\', '\x07', 'é', '\u00a0', '\u200b', '\u2028', '🙂', '\x7f'] }}
{{ ['\n', '\t', '\\', '\x07', 'é', '\u00a0', '\u2028', '🙂', '\x7f', '/', '<b>&\'']|tojson }}
{{ ['é🙂', '\x7f']|tojson(ensure_ascii=true) }}{{ 'é'|tojson(true) }}
{{ {'b': [1, {'c': []}], 'a': {}}|tojson(indent=2) }}
{{ {'b': [1, {'c': [{}]}], 'a': ()}|tojson(indent=4, ensure_ascii=False, sort_keys=True) }}
{{ {'b': [1, 2], 'a': 'x'}|tojson(separators=(',', ':')) }}{{ {'b': [1]}|tojson(indent='--') }}{{ [1,[2]]|tojson(indent=0) }}
{{ [1.0, 1e16, 1e-7, 0.1, 123456789.125, -0.0, 1e300, 100000000000000000.0]|tojson }}
{{ [1.0, 1e16, 1e-7, 0.1, 123456789.125, -0.0, 1e300, 1e15, 123456789012345680.0] }}
{{ 'a'|tojson|safe }}{{ none|tojson }}{{ true|tojson }}{{ 3|tojson }}{{ (1, 2)|tojson }}
{{ range(3)|list|tojson }}{{ messages|length|tojson }}
{{ missing|tojson }}
{{ messages|map(attribute='role')|tojson }}
{{ range(3)|tojson }}
{{ 'The %s is %d years, %.2f%%, %5s|%-5s|%05d|%x|%X|%o|%e|%g|%r|%c' % ('cat', 3.9, 99.555, 'a', 'b', 42, 255, 255, 8, 12345.678, 0.0001, 'q', 'z') }}
{{ '%s' % none }}{{ '%s and %s' % (1, [2]) }}{{ '%(a)s-%(b)03d' % {'a': 'x', 'b': 7} }}{{ '%+d % d %#x' % (5, 5, 255) }}
{{ '%s %s'|format('a', 1) }}{{ '%(x)s'|format(x=2) }}
{{ '{} {}'.format(1, 'a') }}{{ '{0}{1}{0}'.format('a', 'b') }}{{ '{x}{{}}'.format(x=1) }}{{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:+.2f}|{:,}|{:x}|{:%}|{:e}'.format('a', 'b', 'c', 'd', 42, 3.14159, 1234567, 255, 0.5, 1234.5) }}
{{ '{0[a]}{1[0]}{2!r}{3!s}'.format({'a': 1}, [2], 'x', 'y') }}
{{ '{0.a}'.format({'a': 1}) }}
{{ 'The cat'.upper() }}{{ 'The cat'.lower() }}{{ "they're bill's".title() }}{{ 'hello wORLD'.capitalize() }}{{ 'aB'.swapcase() }}{{ 'ß'.upper() }}{{ 'İ'.lower() }}{{ 'ß'.casefold() }}
{{ "they're bill's (friends) a-b"|title }}{{ 'hello wORLD'|capitalize }}{{ 'ΑΣ'|lower }}{{ 'ΑΣ ΑΣΑ'.lower() }}{{ 'ǆ'.title() }}{{ 'ﬁ'.upper() }}
{{ '  a b '.strip() }}|{{ '  a '.lstrip() }}|{{ '  a '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.lstrip('ab') }}|{{ 'a\n\n'.rstrip('\n') }}|{{ '\u00a0a\u2003\x1c'.strip() }}|{{ '\u200ba'.strip()|length }}
{{ '  a b '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 5|trim }}|{{ none|trim }}|{{ missing|trim }}|{{ '\u00a0a'|trim }}
{{ 'a,b,,c'.split(',') }}{{ 'a,b,,c'.split(',', 1) }}{{ ' a  b '.split() }}{{ ' a  b c '.split(none, 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a  b c '.rsplit(none, 1) }}{{ ''.split() }}{{ ''.split(',') }}{{ 'a-b'.split('-', maxsplit=1) }}{{ 'a b c'.split(' ', 0) }}{{ 'a b'.split(sep=' ') }}
{{ 'a</think>b</think>c'.split('</think>')[-1].lstrip('\n') }}{{ 'x'.split('</think>')[0] }}
{{ 'a\nb\r\nc\x0bd'.splitlines() }}{{ 'a\nb\n'.splitlines(true) }}{{ ''.splitlines() }}{{ 'a\n\nb'.split('\n') }}
{{ 'abcabc'.replace('b', 'X') }}{{ 'abcabc'.replace('b', 'X', 1) }}{{ 'ab'.replace('', '-') }}{{ 'abc'|replace('b', '') }}{{ 'aaa'|replace('a', 'b', 2) }}{{ 'abc'|replace('', '.') }}{{ 5|replace(5, 6) }}{{ 'ab'.replace('', '-', 2) }}
{{ 'abc'.find('c') }}{{ 'abc'.find('z') }}{{ 'abcb'.rfind('b') }}{{ 'abcb'.count('b') }}{{ 'abc'.index('b') }}{{ 'ab'.count('') }}{{ 'éa'.find('a') }}{{ 'abcabc'.find('a', 1) }}{{ 'abcabc'.count('a', 1, 3) }}{{ 'ab'.find('', 5) }}{{ 'ab'.rfind('') }}
{{ 'abc'.startswith('ab') }}{{ 'abc'.startswith(('x', 'a')) }}{{ 'abc'.endswith('bc') }}{{ 'abc'.endswith('') }}{{ 'abc'.startswith('b', 1) }}{{ 'abc'.endswith('b', 0, 2) }}{{ ''.startswith('', 1) }}
{{ 'a-b-c'.partition('-') }}{{ 'a-b-c'.rpartition('-') }}{{ 'abc'.partition('-') }}{{ 'abc'.rpartition('-') }}
{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('bc') }}{{ 'abc'.removeprefix('x') }}
{{ '-'.join(['a', 'b']) }}{{ ''.join('abc') }}{{ ', '.join({'a': 1, 'b': 2}) }}{{ '-'.join(messages|map(attribute='role')) }}
{{ ', '.join([1, 2]) }}
{{ [1, 2, none]|join('-') }}{{ messages|join('|', attribute='role') }}{{ 'abc'|join('.') }}{{ []|join }}{{ ['a', missing]|join('+') }}
{{ 'abc'.isalpha() }}{{ 'a1'.isalnum() }}{{ '12'.isdigit() }}{{ '²'.isdigit() }}{{ '½'.isnumeric() }}{{ '½'.isdigit() }}{{ '²'.isdecimal() }}{{ '٣'.isdecimal() }}{{ ' '.isspace() }}{{ ''.isspace() }}{{ 'ABC'.isupper() }}{{ 'A1'.isupper() }}{{ '1'.isupper() }}{{ 'Ab'.istitle() }}{{ 'a b'.isidentifier() }}{{ 'a\n'.isprintable() }}{{ 'é'.isascii() }}
{{ 'a'.center(5) }}|{{ 'ab'.center(5, '*') }}|{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3, '0') }}|{{ '-5'.zfill(4) }}|{{ 'a'|center(6) }}|{{ 'a\tb'.expandtabs(4) }}
{{ 'abc'.encode() }}
{{ 'a{b}'.format_map({'b': 1}) }}
{{ 'abc'.translate({97: 'x'}) }}
{{ 'abc'[1] }}{{ 'abc'[-1] }}{{ 'abc'[1:] }}{{ 'abc'[:-1] }}{{ 'abc'[::-1] }}{{ 'abcdef'[1:5:2] }}{{ 'abc'[5:] }}|{{ 'नेपाल'[1:3] }}|{{ 'abc'[5] is defined }}
{{ [1,2,3][1:] }}{{ [1,2,3][::-1] }}{{ [1,2,3][-2:] }}{{ (1,2,3)[:2] }}{{ messages[1:]|length }}{{ messages[::-1]|map(attribute='role')|list }}{{ messages[:0] }}{{ range(10)[2:4] }}
{% set loop_messages = messages[1:] if messages[0]['role'] == 'system' else messages %}{{ loop_messages[0].role }}
{{ 7 // 2 }}{{ -7 // 2 }}{{ 7 % 3 }}{{ -7 % 3 }}{{ 7 / 2 }}{{ 6 / 2 }}{{ 2 ** 3 }}{{ 2 ** -1 }}{{ -2 ** 2 }}{{ 7.5 // 2 }}{{ 7.5 % 2 }}{{ +5 }}{{ - 5 }}{{ 1_000 }}{{ 0x1f }}{{ 0b11 }}{{ 0o17 }}{{ 1e2 }}{{ 1.5e-3 }}
{{ 2 ** 100 }}
{{ 9223372036854775807 + 1 }}
{{ 2 ** 3 ** 2 }}|{{ 10 - 2 - 3 }}|{{ 2 + 3 * 4 ~ 'a' }}|{{ 'a' ~ 1 + 2 }}|{{ not true or true }}|{{ not (true and false) }}|{{ 1 < 2 < 3 }}|{{ 1 < 2 > 3 }}|{{ 1 == 1.0 }}|{{ true == 1 }}|{{ '1' == 1 }}|{{ none == false }}
{{ 'a' * 3 }}{{ 3 * 'ab' }}{{ [1] * 2 }}{{ [1] + [2] }}{{ (1,) + (2,) }}{{ true + 1 }}{{ true + true }}{{ 'a' 'b' }}
{{ 'a' + 1 }}
{{ [1] + (2,) }}
{{ 1 and 2 }}{{ 0 or 'x' }}{{ '' or none }}{{ [] and 1 }}{{ not [] }}{{ 1 if true }}{{ 1 if false }}|{{ (1 if false) is defined }}{{ 'a' if missing else 'b' }}
{{ 1 in [1, 2] }}{{ 3 not in [1] }}{{ 'a' in 'abc' }}{{ '' in 'abc' }}{{ 1 in (1,) }}{{ none in [none] }}{{ 1 in range(3) }}{{ 'x' in missing }}{{ 'role' in messages[0] }}
{{ 1 in 'abc' }}
{{ 1 in none }}
{{ 1 < 'a' }}
{{ 'a' < 'b' }}{{ [1, 2] < [1, 3] }}{{ 'Z' < 'a' }}{{ (1,) < (1, 0) }}{{ 1 <= 1.0 }}{{ true < 2 }}{{ 'é' > 'z' }}
{{ missing }}|{{ missing is defined }}|{{ missing|default('d') }}|{{ ''|default('d') }}|{{ ''|default('d', true) }}|{{ none|default('d') }}|{{ none|d('d', boolean=true) }}|{{ missing ~ 'a' }}|{{ missing == missing2 }}|{{ missing == none }}|{{ missing|length }}|{{ missing|list }}|{{ not missing }}
{{ missing.attribute }}
{{ missing['x'] }}
{{ missing() }}
{{ messages[9] }}|{{ messages[9] is defined }}|{{ messages[0].nothing }}|{{ messages[0]['nothing'] is none }}|{{ messages.nothing is defined }}
{{ messages[9].content }}
{{ messages[0].nothing.more }}
{{ missing + 'a' }}
{{ missing < 1 }}
{{ none.attribute is defined }}{{ none['a'] is defined }}{{ 5.real }}{{ (5)['a'] is defined }}
{{ none|length }}
{{ 5|length }}
{{ none + 'a' }}
{{ 1 is number }}{{ true is number }}{{ 1.5 is float }}{{ 1 is integer }}{{ true is integer }}{{ true is boolean }}{{ 1 is boolean }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is mapping }}{{ [] is sequence }}{{ 'a' is sequence }}{{ {} is sequence }}{{ 5 is sequence }}{{ [] is iterable }}{{ 5 is iterable }}{{ none is none }}{{ none is not none }}{{ missing is none }}{{ range is callable }}
{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(2) }}{{ 'abc' is lower }}{{ 'ABC' is upper }}{{ 1 is eq 1 }}{{ 1 is ne(1) }}{{ 2 is gt 1 }}{{ 2 is lt(1) }}{{ 1 is in [1] }}{{ 1 is sameas 1 }}{{ none is sameas none }}{{ true is true }}{{ 1 is true }}{{ false is false }}{{ 0 is false }}{{ 'trim' is filter }}{{ 'nope' is filter }}{{ 'odd' is test }}{{ 2 is ge 2 }}{{ 'a' is escaped }}
{{ 1 is not odd }}{{ not 1 is odd }}{{ 1 is odd and 2 is even }}{{ messages[0].role is string and true }}{{ messages is sequence and messages is not mapping and messages is not string }}
{{ -1.5|abs }}{{ 1.5|int }}{{ '3.7'|int }}{{ 'x'|int }}{{ 'x'|int(9) }}{{ '0x1f'|int(base=16) }}{{ '12'|int(0, 8) }}{{ none|int }}{{ '3.5'|float }}{{ 'x'|float }}{{ 'x'|float(1.5) }}{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 2.5|round(0, 'ceil') }}{{ 2.567|round(1, 'floor') }}{{ 1234|round(-2) }}{{ 5|round }}{{ true|int }}
{{ '1_000'|int }}{{ ' 12 '|int }}{{ '1e3'|int }}{{ '1e3'|float }}{{ 'inf'|float }}{{ 'nan'|float }}{{ '-5'|int }}{{ '+5'|int }}{{ 1e20|int if false else 1e10|int }}
{{ [1, 2, 3]|first }}{{ [1, 2, 3]|last }}{{ 'abc'|first }}{{ 'abc'|last }}{{ []|first }}|{{ {'a': 1}|first }}{{ {'a': 1, 'b': 2}|last }}{{ range(3)|last }}
{{ [1, 2, 3]|min }}{{ [1, 2, 3]|max }}{{ ['b', 'A']|min }}{{ ['b', 'A']|max(case_sensitive=true) }}{{ []|max }}|{{ messages|max(attribute='role') is mapping }}
{{ [1, 2, 3]|reverse|list }}{{ 'abc'|reverse }}{{ (1, 2)|reverse|list }}{{ {'a': 1, 'b': 2}|reverse|list }}
{{ [1, 1, 2, 'a', 'A']|unique|list }}{{ ['a', 'A']|unique(true)|list }}{{ 'aba'|unique|join }}
{{ [1, 2, 3, 4, 5]|batch(2)|list }}{{ [1, 2, 3]|batch(2, 'x')|list }}{{ [1, 2, 3, 4, 5]|slice(2)|list }}{{ [1, 2, 3, 4, 5]|slice(3, 'x')|list }}
{{ [1, 2, 3, 4]|select('odd')|list }}{{ [1, 0, 'a', '']|select|list }}{{ [1, 2, 3]|reject('odd')|list }}{{ [1, 2, 3]|select('gt', 1)|list }}{{ [1, 2]|reject('in', [1])|list }}{{ [0, none, 1]|reject|list }}
{{ ['a', 'b']|map('upper')|join }}{{ [[1, 2], [3]]|map('first')|list }}{{ [{'a': {'b': 1}}]|map(attribute='a.b')|list }}{{ [[1, 2], [3, 4]]|map(attribute=1)|list }}{{ [1.5, 2.5]|map('round', 0, 'ceil')|list }}{{ ['a']|map('default', 'x')|list }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) }}|{{ 'a\nb'|indent('> ') }}|{{ 'a\nb\n'|indent(width=1, first=True) }}
{{ 'a b c'|wordcount }}{{ 'hello world'|truncate(5) }}{{ 'hello big world'|truncate(10) }}{{ 'hello world'|truncate(8, true) }}{{ 'hello world'|truncate(8, false, '', 0) }}
{{ '<a href="x">\'&'|e }}{{ '<b>'|escape }}{{ '<b>'|safe }}{{ '<b>'|forceescape }}
{{ '<p>a <b>b</b></p>'|striptags }}
{{ 'the quick brown fox'|wordwrap(10) }}
{{ 'a b&c/é'|urlencode }}{{ {'a': 'b c', 'd': 1}|urlencode }}
{{ {'class': 'x', 'id': none, 'n': 1}|xmlattr }}
{{ 1000|filesizeformat }}{{ 1500000|filesizeformat }}{{ 1024|filesizeformat(true) }}
{{ messages[0]|attr('role') is defined }}
{{ [1, 'a', {'b': none}]|pprint }}{{ 'a'|string }}{{ 1.5|string }}{{ none|string }}{{ true|lower }}{{ 5|upper }}{{ none|upper }}
{{ 'a'|list }}{{ {'a': 1}|list }}{{ (1, 2)|list }}{{ range(2)|list }}
{{ range(2, 8, 3)|list }}{{ range(5, 0, -2)|list }}{{ range(0)|list }}{{ range(3) }}{{ range(3)|length }}{{ range(1, 3)[0] }}
{{ dict(a=1, b='x') }}{{ dict({'a': 1}, b=2) }}{{ dict([('a', 1)]) }}{{ dict() }}{{ dict(messages[0], role='x') }}
{{ dict.fromkeys(['a', 'b'], 0) }}
{{ namespace(a=1).a }}{{ namespace({'b': 2}).b }}{{ namespace(a=1).zzz is defined }}
{{ namespace(_a=1)._a }}
{% set ns = namespace(x=0) %}{% for m in messages %}{% set ns.x = ns.x + 1 %}{% endfor %}{{ ns.x }}{% set ns._y = 1 %}
{% set ns = namespace(found=false, list=[]) %}{% for m in messages %}{% if m.role == 'user' and not ns.found %}{% set ns.found = true %}{% set ns.list = ns.list + [m.role] %}{% endif %}{% endfor %}{{ ns.found }}{{ ns.list }}
{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b is defined }}{{ ns['a'] }}
{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 3 %}{% endif %}{{ x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set (d, e) = [3, 4] %}{{ d }}{{ e }}
{% set x %}a{{ 1 }}b{% endset %}{{ x }}{% set y | upper %}abc{% endset %}{{ y }}{% set z | replace('a', 'b') | trim %} aa {% endset %}{{ z }}|
{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined else '-' }}>{{ loop.nextitem.role if not loop.last else '-' }} {% endfor %}
{% for m in messages %}{{ loop.cycle('a', 'b') }}{{ loop.changed(m.role) }} {% endfor %}
{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.role }} {% else %}none{% endfor %}
{% for m in messages if m.role == 'tool' %}x{% else %}none{% endfor %}{% for x in [] %}{% else %}empty{% endfor %}
{% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for m in messages %}{% if loop.index == 2 %}{% continue %}{% endif %}{% if loop.index == 4 %}{% break %}{% endif %}{{ m.role }} {% endfor %}
{% for c in 'añ🙂' %}[{{ c }}]{% endfor %}{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}{% for i in range(3) %}{{ i }}{% endfor %}
{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}
{% for x in 5 %}{{ x }}{% endfor %}
{% for a, b in [1] %}{{ a }}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}
{% for m in messages %}{% for c in m.content[:2] %}{{ loop.index }}{{ c }}{% endfor %}{{ loop.index }};{% endfor %}
{% for m in messages %}{% set outer = loop %}{% for c in 'ab' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% macro turn(role, content='none', sep=':') %}{{ role }}{{ sep }}{{ content }};{% endmacro %}{{ turn('a') }}{{ turn('b', 'x') }}{{ turn('c', sep='=') }}{{ turn(content='y', role='d') }}
{% macro f(a, b) %}{{ a }}{{ b is defined }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) }}{{ f(1, 2, 3, c=4) }}{{ f.name }}{{ f.arguments }}
{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1, 2) }}
{% macro f(x) %}{{ x }}{% endmacro %}{{ f(y=2) }}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}
{% macro f(x, y=x) %}{{ x }}{{ y }}{% endmacro %}{{ f(1) }}
{% macro box() %}[{{ caller() }}]{% endmacro %}{% call box() %}in{% endcall %}{% macro list(n) %}{% for i in range(n) %}{{ caller(i) }},{% endfor %}{% endmacro %}{% call(i) list(3) %}{{ i * 2 }}{% endcall %}
{% macro a() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ a() }}{% for x in [7] %}{{ a() }}{% endfor %}
{% set x = 1 %}{% macro a() %}{% set x = 2 %}{{ x }}{% endmacro %}{{ a() }}{{ x }}
{% if true %}{% macro m() %}in if{% endmacro %}{% endif %}{{ m() }}
{% with %}{% set x = 1 %}{{ x }}{% endwith %}{{ x is defined }}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}
{% filter upper %}a{{ 'b' }}{% endfilter %}{% filter replace('a', 'b')|trim %} aa {% endfilter %}
{% raw %}{{ no }}{% endraw %}{# comment {{ 1 }} #}x{%- raw -%} a {%- endraw -%} b
{% block body %}{{ messages[0].role }}{% set y = 1 %}{% endblock %}{{ y is defined }}
{% generation %}{{ messages[2].content }}{% endgeneration %}{%- generation -%} x {%- endgeneration -%}
{{ raise_exception('only a, not ' ~ messages[0].role) }}
{% if messages|length > 9 %}{{ raise_exception('x') }}{% elif messages|length > 3 %}b{% else %}c{% endif %}
{{ strftime_now('%d %b %Y') }}|{{ strftime_now('%A %B %-d %H:%M:%S %p %I %j %U %w %y %y%m%d') }}|{{ strftime_now('%Y-%m-%d') }}
{{ strftime_now('%c|%x|%X|%Z|%z|%f|%G|%V|%u|%W|%C|%D|%F|%R|%T|%e|%h|%n|%t|%%') }}
{{ joiner() }}
{% set j = joiner(', ') %}{% for i in range(3) %}{{ j() }}{{ i }}{% endfor %}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}
{{ lipsum is defined }}{{ cycler is defined }}{{ self is defined }}{{ loop is defined }}{{ caller is defined }}{{ tools is defined }}{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}{{ bos_token }}{{ eos_token }}{{ true == True }}{{ None is none }}{{ False }}
{{ messages.append(1) }}
{{ messages[0].update({'a': 1}) }}
{{ [1, 2].pop() }}
{{ [1, 2, 2].count(2) }}{{ [1, 2].index(2) }}{{ (1, 2).index(2) }}{{ [1].copy() }}{{ {'a': 1}.copy() }}
{{ ''.__class__ }}
{{ messages.__len__ }}
{{ 'a'.nope is defined }}{{ [].nope is defined }}
{{ 'a'.nope() }}
{{ 'a'|nope }}
{{ 'a' is nope }}
{% nope %}
{{ 'unclosed
{% if true %}
{% for x in [1] %}{{ x }}{% endif %}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ [1, 2, 3]|sort(attribute='x') }}
{{ ['a', 1]|sort }}
{{ "a\u00e9\x41\n" }}{{ 'it\'s' }}{{ "q\"q" }}{{ 'a\tb' }}{{ 'a\qb' }}{{ '\101' }}{{ '\N{BULLET}' }}{{ 'a\
b' }}
{{- ' a ' -}} b {{- ' c ' }}
{{ 1 -}}   x   {%- if true %} y {% endif -%}   z
  {%- set x = 1 %}  {{ x }}
{%+ if true +%} a {%+ endif +%} b
{{ {'a': 1, 'b': [1, 2, {'c': 'd'}]}.b[2].c }}{{ {'a b': 1}['a b'] }}{{ [[1, 2], [3]][0][1] }}{{ {'x': {'y': [5]}}['x']['y'][0] }}{{ messages[0]['content'][:2] }}
{{ (messages[0].content ~ 'x').split('\n')[0]|upper|lower|title }}{{ ('a' + 'b')|upper }}{{ 'a' + 'b'|upper }}{{ -1|abs }}{{ (1 + 2)|string + 'x' }}{{ not 'a'|length == 1 }}
{{ 'a' if 1 > 2 else 'b' if 2 > 1 else 'c' }}{{ ('a' if true else 'b') ~ 'c' }}{{ 'x' ~ ('y' if missing) ~ 'z' }}{{ [1 if true else 2, 3] }}
{{ [*[1, 2], 3] }}
{{ {**{'a': 1}} }}
{{ [x for x in [1, 2]] }}
{{ lambda: 1 }}
{{ 'a' if true else }}
{{ dict(a=1)['a'] }}{{ dict(**{'a': 1}) }}{{ '{}{}'.format(*[1, 2]) }}{{ range(*(1, 3))|list }}
{{ 1, 2 }}{{ (1, 2)[0] }}{{ 1 ,}}
{{ 'a'.join }}
{{ messages[0].content.strip }}
{{ loop.index }}
{{ 1.5.is_integer() }}
{{ (5).bit_length() }}
{{ 1.0 * 3 }}{{ 3 * 1.5 }}{{ 1e2 + 1 }}{{ 0.1 + 0.2 }}{{ 1 / 3 }}{{ 100 * 1.1 }}{{ 2 / 1 }}{{ 5e-324 }}{{ 1e22 }}{{ 123456789 * 1000.5 }}
{{ 'a'|default }}{{ missing|default(messages[0].role) }}{{ missing|default(none) is none }}{{ (missing|default([]))|length }}{{ missing.x|default('deep') }}
{{ (missing or {}).x|default('ok') }}{{ messages[0].get('tool_calls', []) }}{{ messages[0].tool_calls is defined and messages[0].tool_calls }}{{ messages[0].get('content') is string }}
{% set content = messages[1].content if messages[1].content is string else messages[1].content|map(attribute='text')|join %}{{ content }}
{% for item in messages[1].content %}{% if loop.index < 3 %}{{ item.type is defined }}{{ item['type'] is defined }}{% endif %}{% endfor %}
{% set tool = {'type': 'function', 'function': {'name': 'f', 'parameters': {'type': 'object', 'properties': {'x': {'type': 'string', 'enum': ['a', 'b']}}, 'required': ['x']}}} %}{{ tool|tojson }}{{ tool.function|tojson(indent=4) }}{{ tool.function.parameters.properties|items|list }}
{% set args = {'x': 1, 'y': 'two', 'z': [1, none, true]} %}{% for k, v in args|items %}{{ k }}={{ v if v is string else v|tojson }}{{ ', ' if not loop.last }}{% endfor %}
{% set args = {'x': 1, 'y': 'two', 'z': {'q': false}} %}{% for k in args %}{{ k }}:{{ args[k]|string }} {% endfor %}{{ args }}
{%- set role_map = {'user': 'U', 'assistant': 'A', 'system': 'S'} -%}{%- for m in messages -%}{{ role_map[m.role] }}{{ role_map.get(m.name, '?') }}{%- endfor -%}
{{ '%d' % 3.99 }}{{ '%s' % [1] }}{{ '%5.1f|' % 3.14159 }}{{ '%%' % () }}{{ '%i' % true }}
{{ '%d' % 'a' }}
{{ '%s %s' % ('a',) }}
{{ 'a' % 1 }}
{{ '{}'.format() }}
{{ '{:d}'.format(1.5) }}
{{ '{:>10.3f}|{:<+8d}|{:^10}|{:#x}|{:b}|{:o}|{:.3}|{:10}|{:10}|{:,.2f}|{:_}|{:.0%}|{:g}|{:c}'.format(3.14159, 5, 'mid', 255, 5, 8, 'abcdef', 'left', 7, 12345.678, 1234567, 0.256, 1e10, 65) }}
{{ '{:{w}}|'.format('a', w=5) }}
{{ ('a', 'b')|join }}{{ ('a',)[0] }}{{ (('a', 1), ('b', 2))|list }}{{ dict((('a', 1), ('b', 2))) }}
{{ [1, 2]|string + 'x' }}{{ [1, 2] ~ 'x' }}{{ none ~ true ~ 1.0 }}{{ {'a': 'b'} ~ '' }}
{{ messages|last is mapping }}{{ messages|first|length }}{{ (messages|last).name }}{{ messages[-1:][0].role }}{{ (messages|list)[0].role }}{{ messages[messages|length - 1].role }}
{{ ''|length }}{{ 'नेपाल'|length }}{{ '🙂'|length }}{{ [1]|count }}{{ {'a': 1}|count }}{{ messages|count }}
{{ true and 'yes' or 'no' }}{{ none or 'x' }}{{ 0 == false }}{{ [] == [] }}{{ {'a': 1} == {'a': 1.0} }}{{ (1, 2) == [1, 2] }}{{ 'a' != 'b' }}{{ [1, [2]] == [1, [2]] }}
{{ messages[0].content is not none and messages[0].content|length > 0 }}{{ messages[1]['content'] is defined }}{{ messages[1]['x'] is not defined }}{{ 'x' is defined }}
{{ messages | selectattr("role", "equalto", "user") | list | length > 1 }}{{ (messages | selectattr("role", "ne", "user") | first).role }}{{ messages | map(attribute="content") | select("string") | list | length }}
{% set last_user = namespace(index=-1) %}{% for m in messages[::-1] %}{% set index = (messages|length - 1) - loop.index0 %}{% if last_user.index < 0 and m.role == 'user' %}{% set last_user.index = index %}{% endif %}{% endfor %}{{ last_user.index }}
{{ bos_token + messages[0]['content'] + eos_token }}{{ bos_token ~ none }}{{ pad_token is defined }}{{ unk_token }}
{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content']|trim + '\n\n' %}{% else %}{% set system_message = '' %}{% endif %}{{ system_message }}{{ (messages[0].role == 'user') != (0 % 2 == 0) }}
{{ caller }}{{ varargs }}{{ kwargs }}|
{% import 'x' as y %}
{% include 'x' %}
{% extends 'x' %}
{% do messages.append(1) %}
{% autoescape true %}{{ '<' }}{% endautoescape %}
{% trans %}x{% endtrans %}
{% debug %}
{{ _('a') }}
{{ gettext is defined }}{{ url_for is defined }}{{ get_flashed_messages is defined }}{{ int is defined }}{{ str is defined }}{{ len is defined }}
{{ 'a' is string }}{{ "a" is string() }}{{ 5 is not string }}{{ messages is iterable and messages is not string }}{{ {} is iterable }}{{ loop is not defined }}
{% set x = [] %}{% set x = x + [1] %}{{ x }}{% set x = x + ['a'] if true else x %}{{ x|length }}{% set d = {} %}{% set d = dict(d, a=1) %}{{ d }}
{% set s = 'ab' %}{% set s = s + 'c' %}{{ s }}{% set s = s ~ 1 %}{{ s }}{{ s[0] ~ s[-1] }}{{ s|list }}{% set t = (s, 1) %}{{ t }}
"""

BLOCKS = [
    "{% for m in messages %}\n  {{ m.role }}\n{% endfor %}\nend\n",
    "{% for m in messages -%}\n  {{ m.role }}\n{%- endfor %}\nend\n\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c",
    "a {% if true %}\n b\n {% endif %} c\n",
    "a\n\t{%+ if true %}\nb\n\t{%- endif +%}\nc",
    "{# one #}\n{# two #}  \nx{# three #}\ny\n  {# four #}\nz",
    "{#- one -#}\n\n x {#- two #} y\n{#+ three +#}\n z",
    "{{ 1 }}\n{{ 2 }}\n\n{{- 3 -}}\n\n{{ 4 }}",
    "{%- for m in messages %}\n    {%- if m.role == 'user' %}\n        {{- '<u>' + m.content + '</u>' }}\n    {%- elif m.role == 'system' %}\n        {{- '<s>' + m.content }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<a>' }}\n{%- endif %}\n",
    "{% raw %}\n  {{ x }}\n{% endraw %}\n  y",
    "{%- raw %}\n  {{ x }}\n{% endraw -%}\n  y",
    "{% set x -%}\n  a\n{%- endset %}\n{{ x }}\n.",
    "{% macro m(x) -%}\n  <{{ x }}>\n{%- endmacro %}\n{{ m(1) }}\n{{ m(2) }}\n",
    "{% macro m(x) %}\n  <{{ x }}>\n{% endmacro %}\n{{ m(1) }}\n{{ m(2) }}\n",
    "{% call(x) m() %}{% endcall %}",
    "{% for i in range(2) %}{{ i }}\n{% endfor %}\n\n\n",
    "\n\n{{ 1 }}\n",
    "  {{ 1 }}  \n  {{ 2 }}  \n",
    "x{% if true %}   \ny{% endif %}   \nz",
    "x{% if true -%}   \n\n  y{%- endif %}\n\nz",
    "{%if true%}a{%endif%}{{1}}{{'b'}}{%-if true-%} c {%-endif-%}",
    "{% if true\n %}a{% endif\n%}{{\n1\n}}{{ [1,\n 2] }}",
    "{% for m in messages %}{% generation %}\n{{ m.role }}\n{% endgeneration %}\n{% endfor %}",
    "# not a line statement\n## nor a comment\n{{ 1 }} ## x\n",
    "{{ '{{' }}{{ '}}' }}{{ '{%' }} {{ '%}' }} } }} %} {",
    "a\r\nb{{ 'c\r\nd' }}\re\x0cf\x0b\n",
    "{% if true %}\r\nx\r\n{% endif %}\r\n",
    "{% set x %}\n{% for m in messages %}\n{{ m.role }}\n{% endfor %}\n{% endset %}\n[{{ x }}]",
    "{% for m in messages %}{% if loop.first %}{% set y = 1 %}{% endif %}{{ y is defined }}{% endfor %}",
    "{% set y = 0 %}{% for m in messages %}{% if loop.first %}{% set y = 5 %}{% endif %}{{ y }}{% endfor %}{{ y }}",
    "{% if false %}{% set z = 1 %}{% endif %}{{ z is defined }}{{ z }}",
    "{% for x in [1, 2] %}{% if x == 1 %}{% set q = x %}{% else %}{{ q is defined }}{% endif %}{% endfor %}",
    "{% with %}{% macro m() %}w{% endmacro %}{{ m() }}{% endwith %}{{ m is defined }}",
    "{% set f = 'x' %}{% macro f() %}m{% endmacro %}{{ f() }}",
    "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}o{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% set messages = messages[1:] %}{% for m in messages %}{{ m.role }} {% endfor %}",
    "{% for messages in [1] %}{{ messages }}{% endfor %}{{ messages|length }}",
    "{% for loop in [1, 2] %}{{ loop }}{% endfor %}",
    "{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% if i == 1 %}{% continue %}{% endif %}|{% endfor %}",
    "{% break %}",
    "{% for i in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for m in messages %}{{ m.role }}{% if not loop.last %}, {% endif %}{% endfor %}.{{ m is defined }}",
    "{%- macro render_extra_keys(d, skip) -%}\n{%- for k in d if k not in skip %}\n<{{ k }}>{{ d[k] if d[k] is string else d[k]|tojson }}</{{ k }}>\n{%- endfor %}\n{%- endmacro -%}\n{{- render_extra_keys({'name': 'f', 'type': 'x', 'list': [1, 'a']}, ['name']) }}",
]


# Snippets that Kelvin refuses or renders in another way, by what is in them: names of characters
# in strings, integers beyond 64 bits, bytes, and what else no known template has.
LEFT_OUT = [
    "\\N{BULLET}",
    "2 ** 100",
    "9223372036854775807 + 1",
    "'abc'.encode()",
    "lipsum is defined",
    "5.real",
    "bit_length",
]


def snippets():
    lines = LINES.strip("\n").split("\n")
    joined = []
    for line in lines:
        # A string that goes on in the next line.
        if joined and joined[-1].endswith("\\"):
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    every = joined + BLOCKS + template_turns.snippets()
    return [snippet for snippet in every if not any(part in snippet for part in LEFT_OUT)]


def main():
    cases = []
    for template in snippets():
        case = {"template": template}
        try:
            rendered, _ = chat_template_utils.render_jinja_template(
                conversations=[MESSAGES],
                chat_template=template,
                add_generation_prompt=True,
                bos_token="<s>",
                eos_token="</s>",
            )
            case["prompt"] = rendered[0]
        except Exception as error:
            case["error"] = f"{type(error).__name__}: {error}"
        if " at 0x" not in case.get("prompt", ""):
            cases.append(case)
    made_by = f"template_snippets.py, transformers {transformers.__version__}, jinja2 {jinja2.__version__}"
    out = {"made_by": made_by, "date": DATE, "messages": MESSAGES, "cases": cases}
    Path(sys.argv[1]).write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "cases,", sum("error" in case for case in cases), "errors")


if __name__ == "__main__":
    main()
