//! Texts that are held to a form, with SmolLM2: they have it, they are the same in a batch, and
//! what can't be held to is refused.

use std::thread;

use kelvin_testkit::server::{Server, streamed_text};
use serde_json::{Value, json};

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_text_has_its_form_alone_and_in_a_crowd() {
    let server = Server::start(&["--parallel", "16"], None);
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string", "maxLength": 20 },
        "height_m": { "type": "integer", "minimum": 0, "maximum": 9000 }, "holy": { "type": "boolean" } },
        "required": ["name", "height_m", "holy"], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "mountain", "schema": schema, "strict": true } });
    let forms = [
        json!({ "response_format": format }),
        json!({ "structured_outputs": { "json": schema } }),
        json!({ "structured_outputs": { "json": schema.to_string() }, "stream": true }),
        json!({ "structured_outputs": { "regex": "[0-9]{4}-[0-9]{2}-[0-9]{2}" } }),
        json!({ "structured_outputs": { "choice": ["Kathmandu", "Pokhara", "Kathmandu \
            Valley"] }, "n": 3 }),
        json!({ "structured_outputs": { "grammar": "start: greeting \" \" \
            NAME\ngreeting: \"Hello\" | \"Namaste\"\nNAME: /[A-Z][a-z]{2,8}/" } }),
        json!({ "response_format": { "type": "json_object" }, "temperature": 0, "max_tokens": 200 }),
        json!({ "response_format": { "type": "text" } }),
    ];
    let body = json!({ "messages": [{ "role": "user", "content": "Tell me about a mountain of \
        Nepal." }], "seed": 5,
        "temperature": 1.3, "max_tokens": 120 });
    let texts = |server: &Server, form: &Value| -> Vec<String> {
        let body = with(body.clone(), form);
        if form["stream"] == true {
            return vec![streamed_text(&server.post("/v1/chat/completions", &body).body, 0)];
        }
        let answer = server.good("/v1/chat/completions", &body);
        let choices = answer["choices"].as_array().unwrap();
        choices
            .iter()
            .map(|choice| choice["message"]["content"].as_str().unwrap().to_string())
            .collect()
    };
    let alone: Vec<Vec<String>> = forms.iter().map(|form| texts(&server, form)).collect();
    for text in [&alone[0][0], &alone[1][0], &alone[2][0]] {
        let value: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert!(value["name"].as_str().unwrap().chars().count() <= 20, "{value}");
        assert!(
            value["height_m"].as_u64().unwrap() <= 9000 && value["holy"].is_boolean(),
            "{value}"
        );
        assert_eq!(*text, alone[0][0], "the same schema by another name");
    }
    let date: Vec<usize> = alone[3][0].split('-').map(str::len).collect();
    assert_eq!(date, [4, 2, 2], "{}", alone[3][0]);
    assert!(
        alone[4].len() == 3
            && alone[4].iter().all(|text| text.starts_with("Kathmandu") || text == "Pokhara")
    );
    assert!(
        alone[5][0].starts_with("Hello ") || alone[5][0].starts_with("Namaste "),
        "{}",
        alone[5][0]
    );
    assert!(alone[6][0].starts_with('{'), "{}", alone[6][0]);
    assert!(!alone[7][0].starts_with('{'), "{}", alone[7][0]);
    thread::scope(|scope| {
        for (form, alone) in forms.iter().zip(&alone).chain(forms.iter().zip(&alone)) {
            let (server, texts) = (&server, &texts);
            scope.spawn(move || assert_eq!(texts(server, form), *alone, "{form}"));
        }
    });
    // A completion is held to it as well, a complete text has ended by itself, and
    // log-probabilities at the final stage know of it.
    let body = json!({ "prompt": "Is Everest high? \
        Answer: ", "max_tokens": 20, "logprobs": 5, "logprobs_stage": "final",
        "structured_outputs": { "choice": ["yes", "no"] }, "min_tokens": 10 });
    let answer = server.good("/v1/completions", &body);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{answer}");
    let top = &answer["choices"][0]["logprobs"]["top_logprobs"][0];
    let first = |token: &str| ["yes", "no"].iter().any(|choice| choice.starts_with(token));
    assert!(top.as_object().unwrap().keys().all(|token| first(token)), "{top}");
}

#[test]
fn a_form_that_cannot_be_is_refused_by_name() {
    let server = Server::start(&["--parallel", "4"], None);
    let outputs = |outputs: Value| json!({ "structured_outputs": outputs });
    let cases = [
        (json!({ "response_format": "json" }), "response_format"),
        (json!({ "response_format": { "type": "xml" } }), "response_format.type"),
        (json!({ "response_format": { "type": "json_schema" } }), "response_format.json_schema"),
        (
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x" } } }),
            "response_format.json_schema.schema",
        ),
        (
            json!({ "response_format": { "type": "json_object", "more": 1 } }),
            "response_format.more",
        ),
        (
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": { "type": "thing" } } } }),
            "response_format",
        ),
        (
            json!({ "response_format": { "type": "json_object" }, "structured_outputs": { "regex": "a" } }),
            "structured_outputs",
        ),
        (outputs(json!({})), "structured_outputs"),
        (outputs(json!({ "regex": "a", "choice": ["a"] })), "structured_outputs"),
        (outputs(json!({ "regex": "(a" })), "structured_outputs"),
        (outputs(json!({ "regex": "x".repeat(1 << 20) })), "structured_outputs"),
        (outputs(json!({ "json": "{" })), "structured_outputs.json"),
        (outputs(json!({ "choice": [1] })), "structured_outputs.choice"),
        (outputs(json!({ "choice": [] })), "structured_outputs"),
        (outputs(json!({ "grammar": "root ::= \"a\"" })), "structured_outputs"),
        (outputs(json!({ "structural_tag": "x" })), "structured_outputs.structural_tag"),
        (json!({ "guided_regex": "a" }), "guided_regex"),
    ];
    for (more, param) in cases {
        let answer =
            server.post("/v1/completions", &with(json!({ "prompt": "x", "max_tokens": 4 }), &more));
        let words: String = more.to_string().chars().take(200).collect();
        assert_eq!(answer.status, 400, "{words}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["error"]["param"], param, "{words}: {error}");
    }
    // What may take long takes only its own time: another text goes on beside it.
    let explodes = outputs(json!({ "json": { "type": "integer", "multipleOf": 1_000_003 } }));
    thread::scope(|scope| {
        let server = &server;
        scope.spawn(move || {
            let answer = server.post(
                "/v1/completions",
                &with(json!({ "prompt": "x", "max_tokens": 4 }), &explodes),
            );
            assert!(matches!(answer.status, 200 | 400), "{}", answer.body);
        });
        server.good("/v1/completions", &json!({ "prompt": "Tea", "max_tokens": 8 }));
    });
}
