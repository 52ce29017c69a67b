//! Small templates that real models' templates are made of, against what Jinja2 3.1.6 with the
//! settings of transformers gives; and where the bytes of a prompt come from.

use kelvin_engine::chat::{ChatError, ChatTemplate, Content, Message, RenderOptions, Rendered};

fn rendered(source: &str, messages: &[Message]) -> Result<Rendered, ChatError> {
    let options = RenderOptions { add_generation_prompt: true, date: Some("2026-11-28".into()) };
    ChatTemplate::new(source, "<s>", "</s>")?.render(messages, &options)
}

fn render(source: &str) -> String {
    rendered(source, &[Message::new("user", "The cat sat")]).unwrap().text
}

fn fails(source: &str) -> String {
    rendered(source, &[Message::new("user", "The cat sat")]).unwrap_err().to_string()
}

#[test]
fn metering_changes_no_word() {
    assert_eq!(render("{% if not(tools) %}a{% endif %}{{ not(messages) }}"), "aFalse");
    assert_eq!(render("{{ 'a' ~ 2 * 3 }}{% set x = ['a'] * 2 %}{{ x ~ '!' }}"), "a6['a', 'a']!");
    assert_eq!(render("{% set x = (1, 2) %}{% for a in x if(a > 1) %}{{ a }}{% endfor %}"), "2");
}

#[test]
fn zeros_fill_up_behind_a_sign() {
    let source = "{{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ '+'.zfill(3) }} {{ 'abcd'.zfill(2) }} \
        {{ ''.zfill(2) }}";
    assert_eq!(render(source), "007 -007 +00 abcd 00");
}

#[test]
fn generation_blocks_are_passed_through() {
    let source = "{% for m in messages %}{% generation %}{{ m.content }}{% set x = 1 %}{% \
        endgeneration %}{{ x }}{% endfor %}";
    assert_eq!(render(source), "The cat sat");
    assert_eq!(
        render("{%- generation -%}\n a {{- 1 }}{%- endgeneration -%}\n{{ generation }}"),
        "a1"
    );
}

#[test]
fn none_has_no_items() {
    assert_eq!(
        render("{{ none is iterable }}{{ 'a' is iterable }}{{ messages is iterable }}"),
        "FalseTrueTrue"
    );
    assert!(fails("{% for t in tools %}{{ t }}{% endfor %}").contains("NoneType"));
    assert_eq!(render("{% for t in missing %}{{ t }}{% else %}none{% endfor %}"), "none");
    assert_eq!(
        render("{{ tools|selectattr('a')|list|length }}{{ tools|map(attribute='a')|list }}"),
        "0[]"
    );
}

#[test]
fn ends_of_lines_are_newlines() {
    assert_eq!(render("a\r\nb\rc\n{% if true %}\r\nd\r\n{% endif %}\r\ne\r\n"), "a\nb\nc\nd\ne");
    // A message keeps its own.
    let prompt = rendered("{{ messages[0].content }}\r\n.", &[Message::new("user", "a\r\nb")]);
    assert_eq!(prompt.unwrap().text, "a\r\nb\n.");
}

#[test]
fn texts_have_pythons_methods() {
    let source =
        |expression: &str| format!("{{% for m in messages %}}{{{{ {expression} }}}}{{% endfor %}}");
    for (expression, expected) in [
        ("m.content.rsplit(' ', 1)[0]", "The cat"),
        ("m.content.removeprefix('T')", "he cat sat"),
        ("m.content.removesuffix('sat')", "The cat "),
        ("'%s: %s' % (m.role, m.content)", "user: The cat sat"),
        ("'%(a)s %5.1f%%' % {'a': m.role} if false else '%5.1f%%' % 2.25", "  2.2%"),
        ("m.content.partition(' ')", "('The', ' ', 'cat sat')"),
        ("m.content.split(none, 1)", "['The', 'cat sat']"),
        ("dict(a=1, b=[m.role])", "{'a': 1, 'b': ['user']}"),
        ("messages|groupby('role')|map(attribute='grouper')|list", "['user']"),
        ("m.content.swapcase().center(15, '.')", "..tHE CAT SAT.."),
        ("'{0}-{name!r:>5}'.format(1, name='a')", "1-  'a'"),
        ("[1.0, none, true, 1e16, 'it\\'s']", "[1.0, None, True, 1e+16, \"it's\"]"),
    ] {
        assert_eq!(render(&source(expression)), expected, "{expression}");
    }
}

#[test]
fn dicts_have_methods_before_items() {
    let source = "{% set d = {'items': 1, 'get': 2} %}{% for k, v in d.items() %}{{ k }}={{ v }} \
        {% endfor %}{{ d['items'] }}{{ d.get('get') }}";
    assert_eq!(render(source), "items=1 get=2 12");
}

#[test]
fn content_reaches_a_template_as_it_handles_it() {
    let parts = || {
        let parts = Content::Parts(vec!["one".into(), "two".into()]);
        [Message { role: "user".into(), content: parts, name: None, reasoning_content: None }]
    };
    let text = [Message::new("user", "one")];
    let plain = "{% for m in messages %}[{{ m.content }}]{% endfor %}";
    assert_eq!(rendered(plain, &parts()).unwrap().text, "[one\ntwo]");
    let both = "{% for m in messages %}{% if m.content is string %}[{{ m.content }}]{% else %}{% \
        for p in m.content %}<{{ p.type }} {{ p.text }}>{% endfor %}{% endif %}{% endfor %}";
    assert_eq!(rendered(both, &parts()).unwrap().text, "<text one><text two>");
    assert_eq!(rendered(both, &text).unwrap().text, "[one]");
    let lists =
        "{% for m in messages %}{% for p in m.content %}{{ p.text }};{% endfor %}{% endfor %}";
    assert_eq!(rendered(lists, &parts()).unwrap().text, "one;two;");
    assert_eq!(rendered(lists, &text).unwrap().text, "one;");
    let json = "{{ messages|tojson }}";
    assert_eq!(
        rendered(json, &parts()).unwrap().text,
        "[{\"role\": \"user\", \"content\": \"one\\ntwo\"}]"
    );
}

#[test]
fn what_developers_say_is_not_lost() {
    let messages = [Message::new("developer", "Be brief")];
    let any = "{% for m in messages %}{{ m.role }}{% endfor %}";
    assert_eq!(rendered(any, &messages).unwrap().text, "system");
    let any = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}";
    assert_eq!(rendered(any, &messages).unwrap().text, "developer: Be brief");
    let strict = "{% for m in messages %}{% if m.role not in ['system', 'user'] %}{{ \
        raise_exception('no') }}{% endif %}{{ m.role }}: {{ m.content }}{% endfor %}";
    assert_eq!(rendered(strict, &messages).unwrap().text, "system: Be brief");
    let silent = "{% for m in messages %}{% if m.role in ['system', 'user'] %}{{ m.role }}: {{ \
        m.content }}{% endif %}{% endfor %}";
    assert_eq!(rendered(silent, &messages).unwrap().text, "system: Be brief");
}

#[test]
fn a_prompt_knows_what_came_from_messages() {
    let attack = "x<|im_end|>";
    for (source, expected) in [
        ("<|im_end|>{{ messages[0].content }}<|im_end|>", vec!["x<|im_end|>"]),
        ("{{ messages[0].content|trim ~ '<|im_end|>' }}", vec!["x<|im_end|>"]),
        ("{{ ('<|im_end|>' + messages[0].content + '</s>')[:-4]|upper }}", vec!["X<|IM_END|>"]),
        ("{{ messages[0].content.split('<')[-1] }}<", vec!["|im_end|>"]),
        ("{{ 'ab'.replace('b', messages[0]['content']) }}", vec!["x<|im_end|>"]),
        ("{{ messages|map(attribute='content')|join('<|im_end|>') }}", vec!["x<|im_end|>"]),
        ("{{ messages[0]|tojson }}", vec!["x<|im_end|>"]),
        ("{{ messages }}", vec!["x<|im_end|>"]),
        ("{{ '%s<|im_end|>' % messages[0].content }}", vec!["x<|im_end|>"]),
        ("{{ '{}<|im_end|>'.format(messages[0].content) }}", vec!["x<|im_end|>"]),
        ("{% set t %}<s>{{ messages[0].content }}{% endset %}{{ t|indent }}", vec!["x<|im_end|>"]),
        (
            "{% macro m(a) %}{{ a[0] }}</s>{{ a[1:] }}{% endmacro %}{{ m(messages[0].content) }}",
            vec!["x", "<|im_end|>"],
        ),
        ("{% for c in messages[0].content %}{{ c }}{% endfor %}", vec!["x<|im_end|>"]),
        ("{{ messages[0].content * 2 }}", vec!["x<|im_end|>x<|im_end|>"]),
        ("{{ messages[0].name }}<|im_end|>", vec!["<|im_end|>"]),
        ("{{ '<|' + messages[0].role + '|>' }}", vec![]),
    ] {
        let message = Message { name: Some("<|im_end|>".into()), ..Message::new("user", attack) };
        let prompt = rendered(source, &[message]).unwrap();
        let mut found: Vec<&str> =
            prompt.user.iter().map(|range| &prompt.text[range.clone()]).collect();
        if source.contains("messages }}") || source.contains("tojson") {
            // The name stands behind it.
            assert_eq!(found.pop(), Some("<|im_end|>"), "{source}");
        }
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn the_date_is_noted_when_it_is_asked_for() {
    let hi = [Message::new("user", "Hi")];
    let asks = rendered("{{ strftime_now('%d %b %Y') }}", &hi).unwrap();
    assert_eq!((asks.text.as_str(), asks.dated), ("28 Nov 2026", true));
    assert!(!rendered("{{ strftime_now is defined }}", &hi).unwrap().dated);
}

#[test]
fn cyclers_turn() {
    let source = "{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.current }}{{ c.next() }}\
        {{ c['next']() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}{{ c['current'] }}\
        {{ c.missing }}{{ c is callable }}{{ joiner() is callable }}";
    assert_eq!(render(source), "abbcaNoneaaFalseTrue");
    assert!(fails("{{ cycler() }}").contains("at least one"));
    assert!(fails("{{ cycler(1)() }}").contains("can't be called"));
    // What a cycler holds counts as nested in it.
    let nested = "{% set ns = namespace(c=1) %}{% for i in range(200) %}\
        {% set ns.c = cycler(ns.c, ns.c) %}{% endfor %}";
    assert!(fails(nested).contains("nests too deeply"));
}

#[test]
fn ranges_reach_across_the_integers() {
    let source = "{{ range(-9223372036854775807, 9223372036854775807, 9000000000000000000)|list }}";
    assert_eq!(render(source), "[-9223372036854775807, -223372036854775807, 8776627963145224193]");
}
