//! OpenAPI schemas of the responses: derived from the types in `answers`, but for that of the
//! Responses API.

use schemars::{
    Schema,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value, json};

use super::named;
use crate::answers::{
    ChatCompletion, Completion, Health, Models, ProblemBody, Rendered, Text, TokenizerInfo, Tokens,
};

/// The bodies of the answers.
pub(super) fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.contract = Contract::Serialize;
    });
    // The width of a number in Rust is nothing to a client.
    let no_width = RecursiveTransform(|schema: &mut Schema| drop(schema.remove("format")));
    let mut generator = settings.with_transform(no_width).into_generator();
    generator.subschema_for::<Health>();
    generator.subschema_for::<Models>();
    generator.subschema_for::<Completion>();
    generator.subschema_for::<ChatCompletion>();
    generator.subschema_for::<Tokens>();
    generator.subschema_for::<Text>();
    generator.subschema_for::<Rendered>();
    generator.subschema_for::<TokenizerInfo>();
    generator.subschema_for::<ProblemBody>();
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Response".to_string(), response());
    schemas
}

/// The body of an answer of the Responses API.
fn response() -> Value {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
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
    let usage =
        with(&[("input_tokens", whole()), ("output_tokens", whole()), ("total_tokens", whole())]);
    with(&[
        ("id", text()),
        ("object", json!({ "const": "response" })),
        ("created_at", whole()),
        ("status", json!({ "enum": ["completed", "incomplete"] })),
        ("model", text()),
        ("output", list(item)),
        ("usage", usage),
        ("store", json!({ "const": false })),
        ("kelvin", named("Recipe")),
    ])
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
