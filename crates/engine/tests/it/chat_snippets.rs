//! Small templates, each for some features of Jinja, give what transformers renders, or fail as
//! there. `tests/python/template_snippets.py` and `template_turns.py` made the expected prompts.

use std::{fs, path::Path};

use kelvin_engine::chat::{ChatError, ChatTemplate, Message, RenderOptions};
use serde_json::Value;

fn messages(list: &Value) -> Vec<Message> {
    let message = |message: &Value| {
        let text = |key: &str| message.get(key).map(|text| text.as_str().unwrap().to_string());
        Message {
            name: text("name"),
            reasoning_content: text("reasoning_content"),
            ..Message::new(text("role").unwrap(), text("content").unwrap())
        }
    };
    list.as_array().unwrap().iter().map(message).collect()
}

#[test]
fn snippets_render_as_in_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat_templates/snippets.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let messages = messages(&file["messages"]);
    let date = file["date"].as_str().map(str::to_string);
    let options = RenderOptions { add_generation_prompt: true, date };
    let mut wrong = Vec::new();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 500);
    for case in cases {
        let template = case["template"].as_str().unwrap();
        let found = ChatTemplate::new(template, "<s>", "</s>")
            .and_then(|template| template.render(&messages, &options));
        let same = match (case["prompt"].as_str(), &found) {
            (Some(prompt), Ok(found)) => prompt == found.text,
            (None, Err(ChatError::Raised { message })) => {
                case["error"].as_str() == Some(&format!("TemplateError: {message}"))
            }
            (None, Err(_)) => true,
            _ => false,
        };
        if !same {
            let found = found.map(|found| found.text).map_err(|error| error.to_string());
            wrong.push(format!("{case:#}\nfound {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
