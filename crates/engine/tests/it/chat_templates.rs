//! Ordinary templates give the prompts that Hugging Face's way of rendering gives;
//! `chat_templates/generate.py` made those.

use std::{fs, path::Path};

use kelvin_engine::chat::{ChatError, ChatTemplate, Message, RenderOptions};
use serde_json::Value;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat_templates")
}

fn template(name: &str) -> ChatTemplate {
    ChatTemplate::new(&fs::read_to_string(folder().join(name)).unwrap(), "<s>", "</s>").unwrap()
}

fn user(content: &str) -> Message {
    Message::new("user", content)
}

#[test]
fn as_hugging_face_renders_them() {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap();
    let cases = expected["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 70);
    for case in cases {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let messages: Vec<Message> = case["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| Message::new(text(&m["role"]), text(&m["content"])))
            .collect();
        let options = RenderOptions {
            add_generation_prompt: case["add_generation_prompt"].as_bool().unwrap(),
            date: Some(text(&expected["date"])),
        };
        let name = format!("{} {}", case["template"], case["conversation"]);
        let result = template(case["template"].as_str().unwrap()).render(&messages, &options);
        match (case.get("prompt"), result) {
            (Some(prompt), Ok(found)) => assert_eq!(found.text, text(prompt), "{name}"),
            (None, Err(ChatError::Raised { message })) => {
                assert_eq!(message, text(&case["raises"]), "{name}")
            }
            (_, found) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn a_refusal_is_in_the_templates_own_words() {
    let system = Message::new("system", "Be brief");
    let error = template("gemma.jinja")
        .render(&[system, user("Hi")], &RenderOptions::default())
        .unwrap_err();
    assert_eq!(error.to_string(), "System role not supported");
}

#[test]
fn a_date_is_asked_for() {
    let error =
        template("llama3.jinja").render(&[user("Hi")], &RenderOptions::default()).unwrap_err();
    assert!(matches!(error, ChatError::NeedsDate));
    assert!(error.to_string().contains("--date"), "{error}");
    let options = RenderOptions { date: Some("26 Jul 2024".into()), ..RenderOptions::default() };
    let error = template("llama3.jinja").render(&[user("Hi")], &options).unwrap_err();
    assert!(error.to_string().contains("YYYY-MM-DD"), "{error}");
}

#[test]
fn who_has_a_name_has_one_in_the_template() {
    let source = "{% for m in messages %}{{ m.name if m.name is defined else m['role'] }}: {{ \
        m.content }}\n{% endfor %}";
    let named = |name: &str| Message { name: Some(name.into()), ..user("Hi") };
    let prompt = ChatTemplate::new(source, "", "").unwrap();
    let prompt =
        prompt.render(&[named("Ann"), user("Hello"), named("Bo")], &RenderOptions::default());
    assert_eq!(prompt.unwrap().text, "Ann: Hi\nuser: Hello\nBo: Hi\n");
    // A template that doesn't ask doesn't tell.
    let plain =
        |message| template("smollm2.jinja").render(&[message], &RenderOptions::default()).unwrap();
    assert_eq!(plain(named("Ann")), plain(user("Hi")));
}

#[test]
fn what_is_wrong_is_said_with_the_line() {
    let error = ChatTemplate::new("fine\n{% if %}", "", "").unwrap_err().to_string();
    assert!(error.contains("can't be compiled") && error.contains("line 2"), "{error}");
    let broken = ChatTemplate::new("fine\n\n{{ messages.nothing.more }}", "", "").unwrap();
    let error = broken.render(&[user("Hi")], &RenderOptions::default()).unwrap_err().to_string();
    assert!(error.contains("failed") && error.contains("line 3"), "{error}");
}

#[test]
fn long_conversations_are_within_the_budget() {
    let long = "नेपाल ".repeat(100_000);
    let options = RenderOptions { add_generation_prompt: true, date: Some("2024-07-26".into()) };
    for name in ["smollm2.jinja", "llama3.jinja", "mistral.jinja", "gemma.jinja"] {
        let prompt = template(name).render(&[user(&long)], &options).unwrap().text;
        assert!(prompt.len() > 1_500_000);
        let turns: Vec<Message> = (0..2001)
            .map(|i| {
                Message::new(if i % 2 == 0 { "user" } else { "assistant" }, "word ".repeat(50))
            })
            .collect();
        assert!(template(name).render(&turns, &options).unwrap().text.len() > 500_000);
    }
}

#[test]
fn one_template_serves_many_threads() {
    let template = template("smollm2.jinja");
    std::thread::scope(|scope| {
        for i in 0..4 {
            let template = &template;
            scope.spawn(move || {
                let prompt = template
                    .render(&[user(&i.to_string())], &RenderOptions::default())
                    .unwrap()
                    .text;
                assert!(prompt.contains(&format!("<|im_start|>user\n{i}<|im_end|>")));
            });
        }
    });
}

#[test]
fn templates_just_within_the_limits() {
    let render = |source: String| {
        ChatTemplate::new(&source, "<s>", "</s>")
            .unwrap()
            .render(&[user("Hi")], &RenderOptions::default())
            .unwrap()
            .text
    };
    assert_eq!(render(format!("{{{{ 1{} }}}}", " + 1".repeat(990))), "991");
    assert_eq!(render(format!("{{{{ 1{} }}}}", "|abs".repeat(990))), "1");
    assert_eq!(render(format!("{{{{ {}7{} }}}}", "(".repeat(30), ")".repeat(30))), "7");
    assert_eq!(render(format!("{}x{}", "{% if 1 %}".repeat(50), "{% endif %}".repeat(50))), "x");
    assert_eq!(
        render(format!("{{% if 0 %}}{}{{% else %}}x{{% endif %}}", "{% elif 0 %}".repeat(200))),
        "x"
    );
    assert_eq!(render("{% if 1 %}x{% endif %}".repeat(2900)), "x".repeat(2900));
}
