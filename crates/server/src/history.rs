//! Reads the fields of a message besides role, content and name.
//!
//! Client libraries send the messages of earlier replies back as they received them, with empty
//! lists, nulls and annotations. Fields that carry no information are accepted. Fields that ask for
//! something unsupported are refused by name.

use serde_json::Value;

use super::{
    fields::{Fields, wrong},
    problem::Problem,
};

/// Fields of a message beside its role, content and name.
#[derive(Debug, Default)]
pub(crate) struct MessageFields {
    /// The assistant's reasoning.
    pub(crate) reasoning: Option<String>,
}

/// Fields that have to be empty, and the feature that a value would ask for.
const EMPTY: &[(&str, &str)] = &[
    ("tool_calls", "tool calls aren't supported"),
    ("function_call", "tool calls aren't supported"),
    ("audio", "audio isn't supported"),
    ("images", "images aren't supported"),
    ("refusal", "a refusal apart from the content isn't supported: give its text as \"content\""),
    ("thinking_blocks", "thinking apart from \"reasoning_content\" isn't supported"),
    ("reasoning_details", "thinking apart from \"reasoning_content\" isn't supported"),
];

/// Fields about a message that aren't part of its text: annotations, the parsed text, a server's
/// own fields.
const NOTES: &[&str] = &["annotations", "parsed", "provider_specific_fields"];

/// Takes these fields.
pub(crate) fn read(fields: &mut Fields) -> Result<MessageFields, Problem> {
    for &(name, why) in EMPTY {
        if fields.take(name).is_some_and(|value| !is_empty(&value)) {
            let message = format!("{why} (\"{name}\" has to be empty or null)");
            return Err(Problem::parameter(name, message).coded("unsupported_parameter"));
        }
    }
    for name in NOTES {
        fields.take(name);
    }
    // Servers call it the one or the other, and some both.
    let texts = ["reasoning_content", "reasoning"].map(|name| match fields.take(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(other) => Err(wrong(name, &other, "a text")),
    });
    let [first, second] = texts;
    Ok(MessageFields { reasoning: first?.or(second?) })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// The problem of a request that asks for tools.
pub(crate) fn no_tools(name: &str, what: &str) -> Problem {
    let message = format!("{what}, but tools aren't supported");
    Problem::parameter(name, message).coded("unsupported_parameter")
}
