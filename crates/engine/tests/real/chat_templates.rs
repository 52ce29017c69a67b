//! Random chat templates against Python's Jinja2 with the settings of transformers: equal prompts,
//! or an error on both sides.
//!
//! The cases are written by `tests/python/template_cases.py`; `./check` runs it.

use kelvin_engine::chat::{ChatTemplate, Message, RenderOptions};
use kelvin_testkit::models;
use serde_json::Value;

const ADVICE: &str = "write the cases with\n  \
    .venv/bin/python crates/engine/tests/python/template_cases.py DIRECTORY\n\
    where DIRECTORY is `templates` in the folder of models (KELVIN_MODELS, else kelvin in the \
    cache folder), or run ./check";

#[test]
fn random_templates_render_as_in_jinja2() {
    let path = models::folder().join("templates/cases.json");
    let cases = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}\n{ADVICE}", path.display()));
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let date = cases["date"].as_str().unwrap().to_owned();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 300, "only {} cases in {}", cases.len(), path.display());
    let (mut wrong, mut n_rendered) = (Vec::new(), 0);
    for (i, case) in cases.iter().enumerate() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let messages: Vec<Message> = case["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| Message {
                name: message.get("name").map(text),
                reasoning_content: message.get("reasoning_content").map(text),
                ..Message::new(text(&message["role"]), text(&message["content"]))
            })
            .collect();
        let options = RenderOptions {
            add_generation_prompt: case["add_generation_prompt"].as_bool().unwrap(),
            date: Some(date.clone()),
        };
        let template = ChatTemplate::new(case["template"].as_str().unwrap(), "<s>", "</s>");
        let found = template.and_then(|template| template.render(&messages, &options));
        n_rendered += usize::from(found.is_ok());
        let same = match (case.get("prompt"), &found) {
            (Some(prompt), Ok(found)) => prompt.as_str().unwrap() == found.text,
            (None, Err(_)) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!("case {i}: {case}\nfound {found:?}"));
        }
    }
    assert!(n_rendered >= 200, "only {n_rendered} cases have a prompt");
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
