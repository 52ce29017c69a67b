//! Finds the prompt in a record: the places where common tools store it.

use serde_json::{Map, Value};

use crate::run::Prompt;

/// The field that holds the prompt unless another is named.
pub(super) const PROMPT: &str = "prompt";
/// A list of messages in OpenAI's format.
const MESSAGES: &str = "messages";
/// The request of a line of OpenAI's batch files, beside `custom_id`, `method` and `url`.
const BODY: &str = "body";

/// The maximum number of field names listed in an error.
const MAX_NAMES: usize = 30;

/// The prompt of a record: the text in `column`, or if none is named, in `prompt`, `messages`,
/// `body.prompt` or `body.messages`.
///
/// # Errors
/// What was found instead, with the names of the fields.
pub(super) fn prompt(
    mut fields: Map<String, Value>,
    column: Option<&str>,
) -> Result<Prompt, String> {
    if let Some(name) = column {
        let found = fields.remove(name).ok_or_else(|| missing(name, fields.keys()))?;
        return Ok(Prompt { text: text(name, found)?, fields: fields.into_iter().collect() });
    }
    if let Some(name) = [PROMPT, MESSAGES].into_iter().find(|name| fields.contains_key(*name)) {
        let found = fields.remove(name).unwrap_or_default();
        return Ok(Prompt { text: text(name, found)?, fields: fields.into_iter().collect() });
    }
    if let Some(Value::Object(body)) = fields.get_mut(BODY)
        && let Some(name) = [PROMPT, MESSAGES].into_iter().find(|name| body.contains_key(*name))
    {
        let found = body.remove(name).unwrap_or_default();
        let text = text(&format!("{BODY}.{name}"), found)?;
        return Ok(Prompt { text, fields: fields.into_iter().collect() });
    }
    Err(missing(PROMPT, fields.keys()))
}

/// The error for a missing field. It lists the fields that exist.
pub(super) fn missing<'a>(name: &str, found: impl ExactSizeIterator<Item = &'a String>) -> String {
    let n = found.len();
    let mut names: Vec<String> = found.take(MAX_NAMES).map(|name| shortened(name)).collect();
    if n > names.len() {
        names.push(format!("and {} more", n - names.len()));
    }
    let names = names.join(", ");
    format!("there is no \"{name}\" among its fields ({names}); --prompt-column NAME takes another")
}

/// A name or value shortened for an error.
pub(super) fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let mut short: String = text.chars().take(MAX_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A string, or the single user message of a list of messages.
fn text(name: &str, found: Value) -> Result<String, String> {
    match found {
        Value::String(text) if !name.ends_with(MESSAGES) => Ok(text),
        Value::Array(messages) if messages.iter().any(|one| one.get("role").is_some()) => {
            message(name, &messages)
        }
        other => {
            let expected = if name.ends_with(MESSAGES) { "a list of messages" } else { "a text" };
            Err(format!("\"{name}\" is {}, not {expected}", shortened(&other.to_string())))
        }
    }
}

/// A prompt is one user message. A longer conversation can't be continued here.
fn message(name: &str, messages: &[Value]) -> Result<String, String> {
    let role = |one: &Value| one.get("role").and_then(Value::as_str).unwrap_or("none").to_string();
    let [one] = messages else {
        let roles: Vec<String> = messages.iter().take(MAX_NAMES).map(role).collect();
        return Err(format!(
            "\"{name}\" has {} messages ({}), but a prompt is one message of a user; --system TEXT \
             gives a system text",
            messages.len(),
            roles.join(", ")
        ));
    };
    if role(one) != "user" {
        return Err(format!(
            "\"{name}\" has a message of role {}, but a prompt is one of a user",
            role(one)
        ));
    }
    let content = one.get("content").unwrap_or(&Value::Null);
    let part = content.as_array().and_then(|parts| match &parts[..] {
        [part] if part.get("type").is_some_and(|kind| kind == "text") => part.get("text"),
        _ => None,
    });
    match part.unwrap_or(content) {
        Value::String(text) => Ok(text.clone()),
        other => Err(format!(
            "the content of \"{name}\" is {}, not a text",
            shortened(&other.to_string())
        )),
    }
}
