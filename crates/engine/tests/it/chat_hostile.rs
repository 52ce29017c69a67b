//! Templates made to do harm by their shape: each gives an error within 2 s and 128 MiB, and the
//! process lives on.

use crate::chat_child::*;

#[test]
fn too_long() {
    check("source", &"a".repeat((64 << 10) + 1), "65537 bytes, at most 65536");
}

#[test]
fn nesting() {
    let nested =
        |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    check("ifs", &nested("{%if 1%}", "{%endif%}", 3500), "blocks within blocks");
    check("5500 ifs", &nested("{% if true %}", "{% endif %}", 5500), "bytes, at most");
    check("5500 ifs open", &"{%if 1%}".repeat(5500), "blocks within blocks, at line 1");
    check("fors", &nested("{%for a in [1]%}", "{%endfor%}", 2000), "blocks within blocks");
    check("set blocks", &nested("{%set a%}", "{%endset%}", 3000), "recursion");
    check(
        "parentheses",
        &format!("{{{{ {} }}}}", nested("(", ")", 30_000)),
        "brackets within brackets",
    );
    check("lists", &format!("{{{{ {} }}}}", nested("[", "]", 30_000)), "brackets within brackets");
    check(
        "dicts",
        &format!("{{{{ {} }}}}", nested("{1:", "}", 10_000)),
        "brackets within brackets",
    );
    check(
        "subscripts",
        &format!("{{{{ a{} }}}}", nested("[a", "]", 10_000)),
        "brackets within brackets",
    );
}

#[test]
fn chains() {
    let chain = |first: &str, link: &str, n: usize| format!("{{{{ {first}{} }}}}", link.repeat(n));
    for (case, link) in [
        ("minus", "-1"),
        ("attributes", ".a"),
        ("filters", "|abs"),
        ("concatenation", "~1"),
        ("and", " and 1"),
        ("not in", " not in 1"),
        ("is", " is odd"),
        ("power", "**1"),
        ("comparison", "<1"),
        ("ternary", " if 1 else 1"),
    ] {
        let n = 65_000 / link.len();
        check(case, &chain("1", link, n), "in one expression");
        check(&format!("{case}, just too long"), &chain("1", link, 1002), "in one expression");
    }
    check("subscript chain", &chain("a", "[0]", 20_000), "in one expression");
    check("call chain", &chain("a", "()", 30_000), "in one expression");
    check("not", &format!("{{{{ {} 1 }}}}", "not ".repeat(16_000)), "in one expression");
    check("negation", &format!("{{{{ {} 1 }}}}", "-".repeat(65_000)), "in one expression");
    check(
        "in a statement",
        &format!("{{% set a = 1{} %}}", "-1".repeat(30_000)),
        "in one expression",
    );
    check("unclosed", &format!("{{{{ 1{}", "-1".repeat(30_000)), "in one expression");
    check("elif", &format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(5000)), "elif");
}

#[test]
fn what_could_hide_a_chain_from_the_counter() {
    let chain = "-1".repeat(2000);
    for (case, before) in [
        ("quote in a comment", "{# ' #}"),
        ("quote in raw", "{% raw %} {{ ' {% endraw %}"),
        ("quote in raw 2", "{%- raw -%} {{ ' {%- endraw -%}"),
        ("quote in text", "it's"),
        ("end in a string", "{{ '}}' }}"),
        ("escaped quote", r#"{{ '\'}}' }}"#),
        ("comment in a string", "{{ '{#' }}"),
        ("comment in a comment", "{# {# #}"),
        ("raw in a comment", "{# {% raw %} #}"),
        ("raw in a string", "{{ '{% raw %}' }}"),
    ] {
        check(case, &format!("{before}{{{{ 1{chain} }}}}"), "in one expression");
    }
    check(
        "end in a string of the chain",
        &format!("{{{{ '}}}}' ~ 1{chain} }}}}"),
        "in one expression",
    );
    check(
        "braces in the chain",
        &format!("{{{{ {{1:{{2:3}}}} ~ 1{chain} }}}}"),
        "in one expression",
    );
}

#[test]
fn recursion_and_loops() {
    check("macro", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "");
    check(
        "macro, mutual",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "",
    );
    check("doubling macro", "{% macro m(n) %}{{ m(n+1) }}{{ m(n+1) }}{% endmacro %}{{ m(0) }}", "");
    check("recursive loop", "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}", "");
    check("range", "{% for a in range(1000000000) %}x{% endfor %}", "range");
    let ranges = "{% for a in range(9999) %}".repeat(4) + "x" + &"{% endfor %}".repeat(4);
    check("ranges", &ranges, STOPPED);
    check(
        "range of ranges",
        "{% for a in range(9999) %}{% set b = range(9999)|list %}{% endfor %}",
        STOPPED,
    );
    check("include itself", "{% include 'chat_template' %}", "");
    check("extends itself", "{% extends 'chat_template' %}", "");
}

#[test]
fn what_the_language_hides() {
    check("mro", "{{ ''.__class__.__mro__ }}", "undefined");
    check("subclasses", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "undefined");
    check("attr", "{{ ''|attr('__class__') }}", "attr");
    check("mapped attr", "{{ ['']|map('attr', '__class__')|list }}", "attr");
    check("globals", "{{ raise_exception.__globals__['os'] }}", "undefined");
    check("debug", "{{ debug() }}", "debug");
    check("include", "{% include '/etc/passwd' %}", "");
    check("import", "{% import 'os' as os %}", "");
    check("changed list", "{% set x = [] %}{{ x.append(1) }}", "append");
    check(
        "exception",
        "{{ raise_exception('no system role, please') }}",
        "refused no system role, please",
    );
}
