//! Templates made to do harm by the values they make: each gives an error within 2 s and 128 MiB,
//! and the process lives on.

use crate::chat_child::*;

#[test]
fn text_without_end() {
    let ns = "{% set ns = namespace(x='aaaaaaaaaaaaaaaa', y=[1, 2, 3, 4]) %}";
    let times = |body: &str| {
        format!("{ns}{{% for i in range(9999) %}}{body}{{% endfor %}}{{{{ ns.x|length }}}}")
    };
    check("repeated", "{{ 'a' * 1000000000 }}", STOPPED);
    check("repeated more", "{{ 'a' * 1000000000000000000 }}", "");
    check("repeated list", "{{ ([1] * 1000000000)|length }}", "too large");
    check("doubled by ~", &times("{% set ns.x = ns.x ~ ns.x %}"), STOPPED);
    check("doubled by +", &times("{% set ns.x = ns.x + ns.x %}"), STOPPED);
    check("doubled by *", &times("{% set ns.x = ns.x * 2 %}"), STOPPED);
    check(
        "doubled by set",
        &times("{% set b %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = b %}"),
        STOPPED,
    );
    check("doubled by join", &times("{% set ns.x = [ns.x, ns.x]|join %}"), STOPPED);
    check("doubled by format", &times("{% set ns.x = '%s%s'|format(ns.x, ns.x) %}"), STOPPED);
    check("doubled by str.format", &times("{% set ns.x = '{}{}'.format(ns.x, ns.x) %}"), STOPPED);
    check("doubled by replace", &times("{% set ns.x = ns.x|replace('a', 'aa') %}"), STOPPED);
    check("doubled by str.replace", &times("{% set ns.x = ns.x.replace('a', 'aa') %}"), STOPPED);
    check("squared by str.replace", &times("{% set ns.x = ns.x.replace('a', ns.x) %}"), STOPPED);
    check("squared by str.join", &times("{% set ns.x = ns.x.join(ns.x) %}"), STOPPED);
    check("doubled by tojson", &times("{% set ns.x = [ns.x, ns.x]|tojson %}"), STOPPED);
    check("squared by translate", &times("{% set ns.x = ns.x.translate({97: ns.x}) %}"), STOPPED);
    check("wrapped", "{{ ('a' * 9999)|wordwrap(1, wrapstring='b' * 99999) }}", STOPPED);
    check("cut into lines", "{{ ('a-' * 1000000)|wordwrap(3)|length }}", STOPPED);
    check("indented", "{{ ('a\n' * 10000)|indent(1000000000) }}", STOPPED);
    check("padded", "{{ '%1000000000d'|format(1) }}", "");
    check("padded by a variable", "{{ '%-*d'|format(1000000000, 1) }}", "five digits");
    check("padded by str.format", "{{ '{:1000000000}'.format(1) }}", "");
    check("centered", "{{ 'a'|center(1000000000) }}", "");
    check("doubled list", &times("{% set ns.y = ns.y + ns.y %}"), "");
    check("doubled list by *", &times("{% set ns.y = ns.y * 2 %}"), "");
    check(
        "doubled list by filters",
        &times("{% set ns.y = (ns.y|list + ns.y|list)|list %}"),
        STOPPED,
    );
    check("batch", "{{ [1]|batch(1000000000, 'x')|list|length }}", "");
    check("slice", "{{ [1]|slice(1000000000)|list|length }}", "");
    check(
        "output",
        "{% for i in range(9999) %}{% for j in range(9999) %}aaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
        STOPPED,
    );
}

#[test]
fn values_that_share_or_nest() {
    let ns = "{% set ns = namespace(x=[1], y=[1]) %}";
    let double = "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] \
        %}{% endfor %}";
    for (case, use_it) in [
        ("printed", "{{ ns.x }}"),
        ("string", "{{ ns.x|string|length }}"),
        ("concatenated", "{{ (ns.x ~ '')|length }}"),
        ("tojson", "{{ ns.x|tojson|length }}"),
        ("joined", "{{ ns.x|join|length }}"),
        ("joined by str.join", "{{ ''.join(ns.x)|length }}"),
        ("pprint", "{{ ns.x|pprint|length }}"),
        ("formatted", "{{ '%s'|format(ns.x)|length }}"),
        ("formatted by str.format", "{{ '{}'.format(ns.x)|length }}"),
    ] {
        check(&format!("shared, {case}"), &format!("{ns}{double}{use_it}"), "");
    }
    let deep =
        "{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}";
    run("deep, dropped", &format!("{ns}{deep}"));
    run("deep, printed", &format!("{ns}{deep}{{{{ ns.x }}}}"));
    run("deep, compared", &format!("{ns}{deep}{{{{ ns.x == ns.y }}}}"));
    check("deep, tojson", &format!("{ns}{deep}{{{{ ns.x|tojson }}}}"), "");
    let lazy =
        "{% for i in range(9999) %}{% set ns.x = ns.x|select + ns.x|map('string') %}{% endfor %}";
    run("lazy", &format!("{ns}{lazy}{{{{ ns.x|list|length }}}}"));
}

#[test]
fn values_that_hold_themselves() {
    let ns = "{% set ns = namespace(x=1) %}{% set other = namespace(x=1) %}";
    for (case, store) in [
        ("namespace", "{% set ns.x = ns %}"),
        ("namespaces", "{% set ns.x = other %}{% set other.x = ns %}"),
        ("list", "{% set ns.x = [ns] %}"),
        ("list by name", "{% set l = [ns] %}{% set ns.x = l %}"),
        ("dict", "{% set ns.x = {'a': ns} %}"),
        ("tuple", "{% set ns.x = (ns, 1) %}"),
        ("bare tuple", "{% set ns.x = ns, 1 %}"),
        ("default", "{% set ns.x = [{}]|map(attribute='a', default=ns)|list %}"),
        ("constructor", "{% set ns.x = namespace(a=ns) %}"),
        ("constructor by name", "{% set n = namespace(a=ns) %}{% set ns.x = n %}"),
        ("chosen", "{% set ns.x = ns if true else 1 %}"),
        ("in brackets", "{% set ns.x = ((ns)) %}"),
        ("dashes", "{%- set ns.x = ns -%}"),
        ("no spaces", "{%set ns.x=ns%}"),
        ("macro", "{% macro m(a) %}{% set a.x = a %}{{ a }}{% endmacro %}{{ m(ns) }}"),
        ("with", "{% with n = [ns] %}{% set ns.x = n %}{% endwith %}"),
        ("sorted", "{% set ns.x = [ns]|sort %}"),
        ("added", "{% set ns.x = [1] + [ns] %}"),
        ("parsed oddly", "{% set ns.x = '%}' and ns %}"),
    ] {
        check(
            &format!("cycle, {case}"),
            &format!("{ns}{store}{{{{ ns }}}}{{{{ ns == ns.x }}}}{{{{ ns|tojson }}}}{{{{ 1/0 }}}}"),
            "a namespace can't be put into another value",
        );
    }
}

#[test]
fn values_that_share_without_a_namespace() {
    let tail = "{% if a == b %}{% endif %}{{ a }}";
    let sets = "{% set a = [1] %}{% set b = [1] %}".to_owned()
        + &"{% set a = [a, a] %}{% set b = [b, b] %}".repeat(60);
    check("straight", &(sets + tail), "");
    let fors = "{% for a in [[1]] %}".to_owned() + &"{% for a in [[a, a]] %}".repeat(40);
    check(
        "fors",
        &(fors + "{% if a == [a, 1][0] %}{{ a }}{% endif %}" + &"{% endfor %}".repeat(41)),
        "",
    );
    check(
        "recursive loop",
        "{% for a in [1] recursive %}{{ loop([[a, a]]) }}{% if a == [a, a] %}{% endif %}{{ a }}{% \
         endfor %}",
        "",
    );
    check(
        "macro",
        "{% macro m(a, n) %}{% if n < 60 %}{{ m([a, a], n + 1) }}{% else %}{{ a == [a, a] }}{{ a \
         }}{% endif %}{% endmacro %}{{ m([1], 0) }}",
        "",
    );
    check(
        "tuples",
        "{% macro m(a, n) %}{% if n < 60 %}{{ m((a, a), n + 1) }}{% else %}{{ a }}{% endif %}{% \
         endmacro %}{{ m([1], 0) }}",
        "",
    );
    check(
        "dicts",
        "{% macro m(a, n) %}{% if n < 60 %}{{ m({'a': a, 'b': a}, n + 1) }}{% else %}{{ a }}{% \
         endif %}{% endmacro %}{{ m([1], 0) }}",
        "",
    );
}

#[test]
fn a_long_text_many_times_in_one_expression() {
    let big = "{% set b = 'a' * 100000 %}{% set l = [b] %}";
    let many = "{% set l = [b] %}{% set m = l * 9 %}";
    for (case, use_it) in [
        ("product", "{{ l * 9000 }}"),
        ("product concatenated", "{{ l * 9000 ~ '' }}"),
        ("product in brackets", "{{ (l * 9000)|string }}"),
        ("sum concatenated", &format!("{{{{ (l{}) ~ '' }}}}", " + l".repeat(900))),
        ("slices", "{{ ((l * 9000)[1:]) ~ '' }}"),
        ("mapped", "{{ range(9999)|map(attribute='a', default=b)|list ~ '' }}"),
        ("default mapped", "{{ [x]|map('default', l)|list ~ 1 // 0 }}"),
        ("set block", "{% set t %}{{ l * 9000 }}{% endset %}"),
        ("macro", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(l * 9000) }}"),
        ("macro concatenated", "{% macro m(a) %}{{ a ~ '' }}{% endmacro %}{{ m(l * 9000) }}"),
        ("for", "{% for a in [l * 9000] %}{{ a ~ '' }}{% endfor %}"),
        ("with", "{% with a = l * 9000 %}{{ a ~ '' }}{% endwith %}"),
        (
            "compared",
            "{% for i in range(99) %}{% if l * 9000 == l * 9000 %}{% endif %}{% endfor %}{{ l * \
             9000 }}",
        ),
    ] {
        check(&format!("in one, {case}"), &format!("{big}{use_it}"), "");
    }
    check("in one, twice", &format!("{big}{many}{{{{ m ~ m ~ m }}}}"), "");
}

#[test]
fn a_long_text_many_times() {
    let list = "{% set ns = namespace(y=['a' * 1000000]) %}{% for i in range(12) %}{% set ns.y = \
        ns.y + ns.y %}{% endfor %}";
    for (case, use_it) in [
        ("printed", "{{ ns.y }}"),
        ("joined", "{{ ns.y|join }}"),
        ("joined by str.join", "{{ ''.join(ns.y) }}"),
        ("string", "{{ ns.y|string }}"),
        ("tojson", "{{ ns.y|tojson }}"),
        ("formatted", "{{ '%s'|format(ns.y) }}"),
        ("formatted by str.format", "{{ '{}'.format(ns.y) }}"),
        ("pprint", "{{ ns.y|pprint }}"),
        ("cycle", "{% set ns.y = ns %}{{ ns }}"),
        ("cycle compared", "{% set ns.y = ns %}{{ ns == ns.y }}{{ 1/0 }}"),
    ] {
        check(&format!("many times, {case}"), &format!("{list}{use_it}"), "");
    }
}

#[test]
fn values_that_share_compared() {
    let ns = "{% set ns = namespace(x=[1], y=[1]) %}";
    let double = "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] \
        %}{% endfor %}";
    for (case, use_it) in [
        ("equal", "{{ ns.x == ns.y }}"),
        ("less", "{{ ns.x < ns.y }}"),
        ("in", "{{ ns.x in [ns.y] }}"),
        ("key", "{{ {ns.x: 1}[ns.y] }}"),
        ("unique", "{{ [ns.x, ns.y]|unique|list|length }}"),
        ("sort", "{{ [ns.x, ns.y]|sort|length }}"),
        ("min", "{{ [ns.x, ns.y]|min|length }}"),
        ("groupby", "{{ [{'a': ns.x}, {'a': ns.y}]|groupby('a')|length }}"),
        ("test", "{{ ns.x is eq(ns.y) }}"),
        ("selected", "{{ [{'a': ns.x}]|selectattr('a', '==', ns.y)|list|length }}"),
        ("counted", "{{ [ns.x].count(ns.y) }}"),
        ("hashed", "{{ {ns.x: 1}|length }}"),
        ("dict", "{{ {'a': ns.x} == {'a': ns.y} }}"),
    ] {
        check(&format!("shared, {case}"), &format!("{ns}{double}{use_it}"), "");
    }
}

#[test]
fn time_without_memory() {
    let big = "{% set a = 'a' * 1000000 %}{% set b = 'a' * 1000000 %}";
    let times = |body: &str| {
        format!(
            "{big}{{% for i in range(9999) %}}{{% for j in range(99) %}}{body}{{% endfor %}}{{% \
             endfor %}}"
        )
    };
    for (case, body) in [
        ("equal", "{% if a == b %}{% endif %}"),
        ("in", "{% if 'b' in a %}{% endif %}"),
        ("count", "{% set x = a.count('b') %}"),
        ("isupper", "{% set x = a.isupper() %}"),
        ("find", "{% set x = a.find('b') %}"),
        ("startswith", "{% set x = a.startswith(b) %}"),
        ("endswith", "{% set x = ''.endswith(b) %}"),
        ("length", "{% set x = a|length %}"),
        ("trim", "{% set x = a|trim %}"),
        ("strip chars", "{% set x = 'a'.strip(a) %}"),
        ("slice", "{% set x = a[-1:] %}"),
        ("item", "{% set x = a[-1] %}"),
        ("test", "{% set x = a is lower %}"),
        ("test equal", "{% set x = a is eq(b) %}"),
        ("first", "{% set x = a|first %}"),
        ("last", "{% set x = a|last %}"),
        ("reverse", "{% set x = a|reverse %}"),
        ("list", "{% set x = a|list %}"),
        ("int", "{% set x = a|int %}"),
        ("split", "{% set x = a.split('b') %}"),
        ("splitlines", "{% set x = a.splitlines() %}"),
        ("key", "{% set x = {a: 1}[b] %}"),
        ("loop over", "{% for c in a %}{% break %}{% endfor %}"),
        ("starting with", "{% set x = a is startingwith(b) %}"),
    ] {
        check(&format!("long text, {case}"), &times(body), "");
    }
}
