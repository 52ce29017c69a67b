//! Templates made to do harm: each gives an error within 2 s and 128 MiB, and the process lives on.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{fs, path::PathBuf, process::Command, time::Instant};

use kelvin_engine::chat::{ChatTemplate, Message, RenderOptions};

/// Names the file with the template that the child process renders.
const FILE: &str = "KELVIN_TEST_TEMPLATE";
/// What a template may cost, in bytes.
const MEMORY: u64 = 128 << 20;

/// The largest resident size that this process ever had, in bytes; 0 where the system doesn't say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.map_or(0, |line| {
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            * 1024
    })
}

fn render(source: &str) -> Result<String, String> {
    let message = |role: &str, content: &str| Message {
        role: role.into(),
        content: content.into(),
    };
    let messages = [
        message("user", "Hello"),
        message("assistant", "Hi"),
        message("user", "Bye"),
    ];
    let template = ChatTemplate::new(source, "<s>", "</s>").map_err(|e| e.to_string())?;
    template
        .render(&messages, &RenderOptions::default())
        .map_err(|e| e.to_string())
}

/// The child's part of the tests below; without the variable there is nothing to do.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let source = fs::read_to_string(path).unwrap();
    let before = peak_memory();
    let started = Instant::now();
    let result = render(&source);
    let elapsed = started.elapsed().as_millis();
    let outcome = match result {
        Ok(text) => format!("rendered {} bytes", text.len()),
        Err(error) => format!("refused {}", error.replace('\n', " ")),
    };
    println!("\nresult {} {elapsed} {outcome}", peak_memory() - before);
    // A template that was given up still runs on its thread, which must not keep the process.
    std::process::exit(0);
}

/// Renders in a process of its own, gives what came of it.
fn run(case: &str, source: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-{case}.jinja", std::process::id()));
    fs::write(&path, source).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(FILE, &path)
        .output()
        .unwrap();
    fs::remove_file(&path).unwrap();
    assert!(
        output.status.success(),
        "{case}: the process died: {output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("result "))
        .unwrap();
    let mut parts = line.splitn(3, ' ');
    let peak: u64 = parts.next().unwrap().parse().unwrap();
    let millis: u64 = parts.next().unwrap().parse().unwrap();
    let outcome = parts.next().unwrap();
    println!("{case}: {} KiB, {millis} ms, {outcome}", peak >> 10);
    assert!(millis < 2000, "{case}: took {millis} ms");
    assert!(peak < MEMORY, "{case}: took {peak} bytes");
    outcome.to_owned()
}

/// The template is refused, in words that contain `part`.
fn check(case: &str, source: &str, part: &str) {
    let outcome = run(case, source);
    assert!(
        outcome.starts_with("refused") && outcome.contains(part),
        "{case}: {part:?} isn't in {outcome:?}"
    );
}

const STOPPED: &str = "more work or memory than any template needs";

#[test]
fn too_long() {
    check(
        "source",
        &"a".repeat((64 << 10) + 1),
        "65537 bytes, at most 65536",
    );
}

#[test]
fn nesting() {
    let nested =
        |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    check(
        "ifs",
        &nested("{%if 1%}", "{%endif%}", 3500),
        "blocks within blocks",
    );
    check(
        "5500 ifs",
        &nested("{% if true %}", "{% endif %}", 5500),
        "bytes, at most",
    );
    check(
        "5500 ifs open",
        &"{%if 1%}".repeat(5500),
        "blocks within blocks, at line 1",
    );
    check(
        "fors",
        &nested("{%for a in [1]%}", "{%endfor%}", 2000),
        "blocks within blocks",
    );
    check(
        "set blocks",
        &nested("{%set a%}", "{%endset%}", 3000),
        "recursion",
    );
    check(
        "parentheses",
        &format!("{{{{ {} }}}}", nested("(", ")", 30_000)),
        "brackets within brackets",
    );
    check(
        "lists",
        &format!("{{{{ {} }}}}", nested("[", "]", 30_000)),
        "brackets within brackets",
    );
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
        check(
            &format!("{case}, just too long"),
            &chain("1", link, 1002),
            "in one expression",
        );
    }
    check(
        "subscript chain",
        &chain("a", "[0]", 20_000),
        "in one expression",
    );
    check("call chain", &chain("a", "()", 30_000), "in one expression");
    check(
        "not",
        &format!("{{{{ {} 1 }}}}", "not ".repeat(16_000)),
        "in one expression",
    );
    check(
        "negation",
        &format!("{{{{ {} 1 }}}}", "-".repeat(65_000)),
        "in one expression",
    );
    check(
        "in a statement",
        &format!("{{% set a = 1{} %}}", "-1".repeat(30_000)),
        "in one expression",
    );
    check(
        "unclosed",
        &format!("{{{{ 1{}", "-1".repeat(30_000)),
        "in one expression",
    );
    check(
        "elif",
        &format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(5000)),
        "elif",
    );
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
        check(
            case,
            &format!("{before}{{{{ 1{chain} }}}}"),
            "in one expression",
        );
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
    check(
        "macro",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "",
    );
    check(
        "macro, mutual",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "",
    );
    check(
        "doubling macro",
        "{% macro m(n) %}{{ m(n+1) }}{{ m(n+1) }}{% endmacro %}{{ m(0) }}",
        "",
    );
    check(
        "recursive loop",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "",
    );
    check(
        "range",
        "{% for a in range(1000000000) %}x{% endfor %}",
        "range",
    );
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
fn text_without_end() {
    let ns = "{% set ns = namespace(x='aaaaaaaaaaaaaaaa', y=[1, 2, 3, 4]) %}";
    let times = |body: &str| {
        format!("{ns}{{% for i in range(9999) %}}{body}{{% endfor %}}{{{{ ns.x|length }}}}")
    };
    check("repeated", "{{ 'a' * 1000000000 }}", STOPPED);
    check("repeated more", "{{ 'a' * 1000000000000000000 }}", "");
    check(
        "repeated list",
        "{{ ([1] * 1000000000)|length }}",
        "too large",
    );
    check(
        "doubled by ~",
        &times("{% set ns.x = ns.x ~ ns.x %}"),
        STOPPED,
    );
    check(
        "doubled by +",
        &times("{% set ns.x = ns.x + ns.x %}"),
        STOPPED,
    );
    check("doubled by *", &times("{% set ns.x = ns.x * 2 %}"), STOPPED);
    check(
        "doubled by set",
        &times("{% set b %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = b %}"),
        STOPPED,
    );
    check(
        "doubled by join",
        &times("{% set ns.x = [ns.x, ns.x]|join %}"),
        STOPPED,
    );
    check(
        "doubled by format",
        &times("{% set ns.x = '%s%s'|format(ns.x, ns.x) %}"),
        STOPPED,
    );
    check(
        "doubled by str.format",
        &times("{% set ns.x = '{}{}'.format(ns.x, ns.x) %}"),
        STOPPED,
    );
    check(
        "doubled by replace",
        &times("{% set ns.x = ns.x|replace('a', 'aa') %}"),
        STOPPED,
    );
    check(
        "doubled by str.replace",
        &times("{% set ns.x = ns.x.replace('a', 'aa') %}"),
        STOPPED,
    );
    check(
        "squared by str.replace",
        &times("{% set ns.x = ns.x.replace('a', ns.x) %}"),
        STOPPED,
    );
    check(
        "squared by str.join",
        &times("{% set ns.x = ns.x.join(ns.x) %}"),
        STOPPED,
    );
    check(
        "doubled by tojson",
        &times("{% set ns.x = [ns.x, ns.x]|tojson %}"),
        STOPPED,
    );
    check(
        "indented",
        "{{ ('a\n' * 10000)|indent(1000000000) }}",
        STOPPED,
    );
    check("padded", "{{ '%1000000000d'|format(1) }}", "");
    check(
        "padded by a variable",
        "{{ '%-*d'|format(1000000000, 1) }}",
        "five digits",
    );
    check(
        "padded by str.format",
        "{{ '{:1000000000}'.format(1) }}",
        "",
    );
    check("centered", "{{ 'a'|center(1000000000) }}", "");
    check(
        "doubled list",
        &times("{% set ns.y = ns.y + ns.y %}"),
        "",
    );
    check(
        "doubled list by *",
        &times("{% set ns.y = ns.y * 2 %}"),
        STOPPED,
    );
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
    let double = "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}";
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
        check(
            &format!("shared, {case}"),
            &format!("{ns}{double}{use_it}"),
            "",
        );
    }
    let deep =
        "{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}";
    run("deep, dropped", &format!("{ns}{deep}"));
    run("deep, printed", &format!("{ns}{deep}{{{{ ns.x }}}}"));
    run(
        "deep, compared",
        &format!("{ns}{deep}{{{{ ns.x == ns.y }}}}"),
    );
    check(
        "deep, tojson",
        &format!("{ns}{deep}{{{{ ns.x|tojson }}}}"),
        "",
    );
    let lazy =
        "{% for i in range(9999) %}{% set ns.x = ns.x|select + ns.x|map('string') %}{% endfor %}";
    run("lazy", &format!("{ns}{lazy}{{{{ ns.x|list|length }}}}"));
}

#[test]
fn a_long_text_many_times() {
    let list = "{% set ns = namespace(y=['a' * 1000000]) %}{% for i in range(12) %}{% set ns.y = ns.y + ns.y %}{% endfor %}";
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
        (
            "cycle compared",
            "{% set ns.y = ns %}{{ ns == ns.y }}{{ 1/0 }}",
        ),
    ] {
        check(
            &format!("many times, {case}"),
            &format!("{list}{use_it}"),
            "",
        );
    }
}

#[test]
fn values_that_share_compared() {
    let ns = "{% set ns = namespace(x=[1], y=[1]) %}";
    let double = "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}";
    for (case, use_it) in [
        ("equal", "{{ ns.x == ns.y }}"),
        ("less", "{{ ns.x < ns.y }}"),
        ("in", "{{ ns.x in [ns.y] }}"),
        ("key", "{{ {ns.x: 1}[ns.y] }}"),
        ("unique", "{{ [ns.x, ns.y]|unique|list|length }}"),
        ("sort", "{{ [ns.x, ns.y]|sort|length }}"),
        ("min", "{{ [ns.x, ns.y]|min|length }}"),
        (
            "groupby",
            "{{ [{'a': ns.x}, {'a': ns.y}]|groupby('a')|length }}",
        ),
        ("test", "{{ ns.x is eq(ns.y) }}"),
        (
            "selected",
            "{{ [{'a': ns.x}]|selectattr('a', '==', ns.y)|list|length }}",
        ),
        ("counted", "{{ [ns.x].count(ns.y) }}"),
        ("hashed", "{{ {ns.x: 1}|length }}"),
        ("dict", "{{ {'a': ns.x} == {'a': ns.y} }}"),
    ] {
        check(
            &format!("shared, {case}"),
            &format!("{ns}{double}{use_it}"),
            "",
        );
    }
}

#[test]
fn time_without_memory() {
    let big = "{% set a = 'a' * 4000000 %}{% set b = 'a' * 4000000 %}";
    let times = |body: &str| {
        format!(
            "{big}{{% for i in range(9999) %}}{{% for j in range(99) %}}{body}{{% endfor %}}{{% endfor %}}"
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

#[test]
fn what_the_language_hides() {
    check("mro", "{{ ''.__class__.__mro__ }}", "undefined");
    check(
        "subclasses",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "undefined",
    );
    check("attr", "{{ ''|attr('__class__') }}", "attr");
    check(
        "mapped attr",
        "{{ ['']|map('attr', '__class__')|list }}",
        "unknown filter",
    );
    check(
        "globals",
        "{{ raise_exception.__globals__['os'] }}",
        "undefined",
    );
    check("debug", "{{ debug() }}", "debug");
    check("include", "{% include '/etc/passwd' %}", "");
    check("import", "{% import 'os' as os %}", "");
    check(
        "changed list",
        "{% set x = [] %}{{ x.append(1) }}",
        "append",
    );
    check(
        "exception",
        "{{ raise_exception('no system role, please') }}",
        "refused no system role, please",
    );
}
