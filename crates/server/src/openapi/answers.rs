//! OpenAPI schemas of the responses.

use serde_json::{Map, Value, json};

use super::named;

/// The bodies of the answers.
pub(super) fn schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    let usage = with(&[
        ("prompt_tokens", whole()),
        ("completion_tokens", whole()),
        ("total_tokens", whole()),
        ("prompt_tokens_details", with(&[("cached_tokens", whole())])),
    ]);
    let mut recipe = with(&[("seed", whole()), ("chains", list(text()))]);
    // There if the chat template asked for it.
    recipe["properties"]["date"] = text();
    let completion = |kind: &str, choice: Value| {
        with(&[
            ("id", text()),
            ("object", json!({ "const": kind })),
            ("created", whole()),
            ("model", text()),
            ("choices", list(choice)),
            ("usage", named("Usage")),
            ("kelvin", named("Recipe")),
        ])
    };
    let finish = json!({ "enum": ["stop", "length"] });
    let scores = json!({ "type": ["object", "null"] });
    let message = with(&[("role", json!({ "const": "assistant" })), ("content", text())]);
    let mut model = with(&[
        ("id", text()),
        ("object", json!({ "const": "model" })),
        ("created", whole()),
        ("owned_by", text()),
        ("max_model_len", whole()),
        ("date", text()),
    ]);
    // There if the model file recommends something.
    model["properties"]["recommended"] = recommended();
    let part = with(&[
        ("type", json!({ "const": "output_text" })),
        ("text", text()),
        ("annotations", list(json!({}))),
        ("logprobs", list(json!({}))),
    ]);
    let item = with(&[
        ("id", text()),
        ("type", json!({ "const": "message" })),
        ("role", json!({ "const": "assistant" })),
        ("status", json!({ "enum": ["completed", "incomplete"] })),
        ("content", list(part)),
    ]);
    let response = with(&[
        ("id", text()),
        ("object", json!({ "const": "response" })),
        ("created_at", whole()),
        ("status", json!({ "enum": ["completed", "incomplete"] })),
        ("model", text()),
        ("output", list(item)),
        (
            "usage",
            with(&[
                ("input_tokens", whole()),
                ("output_tokens", whole()),
                ("total_tokens", whole()),
            ]),
        ),
        ("store", json!({ "const": false })),
        ("kelvin", named("Recipe")),
    ]);
    let problem = with(&[
        ("message", text()),
        ("type", text()),
        ("param", json!({ "type": ["string", "null"] })),
        ("code", text()),
    ]);
    let all = [
        ("Health", with(&[("status", text())])),
        ("Model", model),
        ("Models", with(&[("object", json!({ "const": "list" })), ("data", list(named("Model")))])),
        ("Usage", usage),
        ("Recipe", recipe),
        (
            "Completion",
            completion(
                "text_completion",
                with(&[
                    ("index", whole()),
                    ("text", text()),
                    ("finish_reason", finish.clone()),
                    ("logprobs", scores.clone()),
                ]),
            ),
        ),
        (
            "ChatCompletion",
            completion(
                "chat.completion",
                with(&[
                    ("index", whole()),
                    ("message", message),
                    ("finish_reason", finish),
                    ("logprobs", scores),
                ]),
            ),
        ),
        ("Response", response),
        (
            "Tokens",
            with(&[("tokens", list(whole())), ("count", whole()), ("max_model_len", whole())]),
        ),
        ("Text", with(&[("prompt", text()), ("content", text())])),
        ("Rendered", with(&[("prompt", text())])),
        (
            "TokenizerInfo",
            with(&[
                ("vocab_size", whole()),
                ("bos_token", json!({ "type": ["string", "null"] })),
                ("eos_token", json!({ "type": ["string", "null"] })),
                ("end_token_ids", list(whole())),
            ]),
        ),
        ("Problem", with(&[("error", problem)])),
    ];
    all.map(|(name, schema)| (name.to_string(), schema)).into_iter().collect()
}

/// The sampling settings that the model file recommends.
fn recommended() -> Value {
    let mut recommended = with(&[
        ("settings", json!({ "type": "object" })),
        ("chain", json!({ "type": ["string", "null"] })),
        (
            "applied",
            json!({ "type": "boolean", "description": "Whether requests without a \
            `sampler` and a `profile` start from it." }),
        ),
    ]);
    recommended["properties"]["problem"] = json!({ "type": "string" });
    recommended
}

/// An object that has these, and perhaps more.
fn with(properties: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| (name.to_string(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}
