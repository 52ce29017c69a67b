//! Parses prompts to tokens: texts, lists of texts, token ids, and messages for the chat template.

use kelvin_engine::{
    Engine, TokenId,
    chat::{ChatError, ChatTemplate, Content, Message, RenderOptions, Rendered},
};
use kelvin_views::token::unreadable;
use serde_json::Value;

use super::{
    Shared,
    fields::{Fields, shortened, token, wrong},
    history,
    limits::MAX_MESSAGES,
    places::{Places, in_characters},
    problem::Problem,
};

/// `developer` is `system` for templates that don't know it.
const ROLES: [&str; 4] = ["system", "developer", "user", "assistant"];

/// A prompt as text and as tokens.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    pub(crate) tokens: Vec<TokenId>,
    /// The character of the text that each token begins in, if requested.
    pub(crate) offsets: Vec<usize>,
    /// The date that the chat template was given, if it asked for one.
    pub(crate) date: Option<String>,
}

/// How the prompts of a completion are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The maximum number of prompts.
    pub(crate) most: usize,
    /// Tokens that a text may have.
    pub(crate) limit: usize,
    /// Whether the tokens' offsets are requested.
    pub(crate) offsets: bool,
}

/// The prompts of a completion: a text, a list of texts, a list of token ids, a list of such lists.
pub(crate) fn of_completion(
    fields: &mut Fields,
    engine: &Engine,
    reading: Reading,
) -> Result<Vec<Prompt>, Problem> {
    const EXPECTED: &str = "a text, a list of texts, a list of token ids or a list of such lists";
    let add_special = fields.flag_or("add_special_tokens", true)?;
    let value = fields.take("prompt").ok_or_else(|| {
        Problem::parameter("prompt", format!("\"prompt\" is missing; it is {EXPECTED}"))
    })?;
    let of_text = |text: &str| {
        check_length("prompt", text, reading.limit, engine)?;
        readable("prompt", engine, text, false)?;
        let (tokens, offsets) = if reading.offsets {
            let placed = engine.tokenizer.encode_with_places(text, add_special, false);
            let (tokens, places): (Vec<TokenId>, Vec<usize>) = placed.into_iter().unzip();
            (tokens, in_characters(text, places.into_iter()))
        } else {
            (engine.tokenizer.encode(text, add_special, false), Vec::new())
        };
        Ok(Prompt { text: text.to_string(), tokens, offsets, date: None })
    };
    let of_ids = |items: &[Value]| {
        let vocab_size = engine.model.config.vocab_size;
        let tokens: Vec<TokenId> =
            items.iter().map(|item| token("prompt", item, vocab_size)).collect::<Result<_, _>>()?;
        let mut offsets = Vec::new();
        if reading.offsets {
            let mut places = Places::default();
            offsets.extend(engine.tokenizer.pieces(&tokens, true).map(|bytes| places.push(bytes)));
        }
        Ok(Prompt { text: engine.tokenizer.decode(&tokens, true), tokens, offsets, date: None })
    };
    let items = match &value {
        Value::String(text) => return Ok(vec![of_text(text)?]),
        Value::Array(items) if items.first().is_some_and(Value::is_number) => {
            return Ok(vec![of_ids(items)?]);
        }
        Value::Array(items) if !items.is_empty() => items,
        _ => return Err(wrong("prompt", &value, EXPECTED)),
    };
    let most = reading.most;
    if items.len() > most {
        let message =
            format!("\"prompt\" has {} texts, but at most {most} can wait here", items.len());
        return Err(Problem::parameter("prompt", message));
    }
    let one = |item: &Value| match item {
        Value::String(text) => of_text(text),
        Value::Array(ids) => of_ids(ids),
        other => Err(wrong("prompt", other, EXPECTED)),
    };
    items.iter().map(one).collect()
}

/// Refuses a text with characters that the tokenizer can't encode.
pub(crate) fn readable(
    name: &str,
    engine: &Engine,
    text: &str,
    parse_special: bool,
) -> Result<(), Problem> {
    match unreadable(&engine.tokenizer, text, parse_special) {
        Some(why) => Err(Problem::parameter(name, format!("\"{name}\": {why}: leave it out"))),
        None => Ok(()),
    }
}

/// The messages of a chat, in the model's template.
/// A text that can't have as few tokens as `limit` is refused.
pub(crate) fn of_chat(
    fields: &mut Fields,
    shared: &Shared,
    limit: usize,
) -> Result<Prompt, Problem> {
    let messages = messages(fields)?;
    templated(fields, shared, limit, &messages, "messages")
}

/// Refuses a text that can't fit into `limit` tokens, before it is tokenized.
fn check_length(name: &str, text: &str, limit: usize, engine: &Engine) -> Result<(), Problem> {
    let longest = engine.tokenizer.longest();
    let most = limit.saturating_mul(longest);
    // No text has more characters than bytes.
    if text.len() <= most {
        return Ok(());
    }
    let n_chars = text.chars().count();
    if n_chars <= most {
        return Ok(());
    }
    let message = format!(
        "the prompt has {n_chars} characters, but the context has room for {limit} tokens, which \
         are {most} characters at most"
    );
    Err(Problem::context(name, message))
}

/// What the Responses API calls input, a text or messages, after its instructions, in the model's
/// template.
pub(crate) fn of_input(
    fields: &mut Fields,
    shared: &Shared,
    limit: usize,
    instructions: Option<&str>,
) -> Result<Prompt, Problem> {
    const EXPECTED: &str = "a text or a list of messages";
    let mut messages: Vec<Message> =
        instructions.iter().map(|&text| Message::new("system", text)).collect();
    match fields.take("input") {
        Some(Value::String(text)) => messages.push(Message::new("user", text)),
        Some(Value::Array(items)) if (1..=MAX_MESSAGES).contains(&items.len()) => {
            for (i, item) in items.into_iter().enumerate() {
                messages.push(message("input", i, item)?);
            }
        }
        None => {
            return Err(Problem::parameter(
                "input",
                format!("\"input\" is missing; it is {EXPECTED}"),
            ));
        }
        Some(other) => return Err(wrong("input", &other, EXPECTED)),
    }
    templated(fields, shared, limit, &messages, "input")
}

/// The text that the template makes of the messages, up to where the answer begins.
pub(crate) fn rendered(fields: &mut Fields, shared: &Shared) -> Result<Rendered, Problem> {
    let messages = messages(fields)?;
    let date = date(fields, shared)?;
    render(shared, &messages, &date, "messages")
}

/// The request's date, or else the server's.
fn date(fields: &mut Fields, shared: &Shared) -> Result<String, Problem> {
    let asked = fields.text("date")?.filter(|date| date != "today");
    Ok(asked.unwrap_or_else(|| shared.day.date()))
}

/// The tokens of messages that came as the parameter `name`.
fn templated(
    fields: &mut Fields,
    shared: &Shared,
    limit: usize,
    messages: &[Message],
    name: &str,
) -> Result<Prompt, Problem> {
    let date = date(fields, shared)?;
    let rendered = render(shared, messages, &date, name)?;
    check_length(name, &rendered.text, limit, &shared.engine)?;
    readable(name, &shared.engine, &rendered.text, true)?;
    let tokens = rendered.encode(&shared.engine.tokenizer);
    Ok(Prompt {
        tokens,
        date: rendered.dated.then_some(date),
        text: rendered.text,
        offsets: Vec::new(),
    })
}

/// The template's text for messages that came as the parameter `name`.
fn render(
    shared: &Shared,
    messages: &[Message],
    date: &str,
    name: &str,
) -> Result<Rendered, Problem> {
    let template = template(&shared.engine)?;
    let options = RenderOptions { add_generation_prompt: true, date: Some(date.to_string()) };
    template.render(messages, &options).map_err(|error| match error {
        ChatError::BadDate { .. } => Problem::parameter("date", error.to_string()),
        ChatError::Raised { .. } => {
            Problem::parameter(name, format!("the model's chat template refuses: {error}"))
        }
        ChatError::Budget | ChatError::Failed { .. } => Problem::parameter(name, error.to_string()),
        _ => Problem::failed(error.to_string()),
    })
}

fn template(engine: &Engine) -> Result<&ChatTemplate, Problem> {
    match &engine.template {
        Some(Ok(template)) => Ok(template),
        Some(Err(error)) => {
            Err(Problem::request(format!("the model's chat template can't be used: {error}")))
        }
        None => Err(Problem::request(
            "the model has no chat template; it only continues text (/v1/completions)",
        )),
    }
}

fn messages(fields: &mut Fields) -> Result<Vec<Message>, Problem> {
    let value = fields.take("messages").ok_or_else(|| {
        Problem::parameter("messages", "\"messages\" is missing; it is a list of messages")
    })?;
    match value {
        Value::Array(items) if (1..=MAX_MESSAGES).contains(&items.len()) => {
            items.into_iter().enumerate().map(|(i, item)| message("messages", i, item)).collect()
        }
        other => Err(wrong("messages", &other, &format!("a list of 1 to {MAX_MESSAGES} messages"))),
    }
}

/// One of the messages that came as the parameter `list`.
fn message(list: &str, i: usize, item: Value) -> Result<Message, Problem> {
    let at = |name: &str| format!("{list}[{i}].{name}");
    let Value::Object(map) = item else {
        return Err(wrong(
            &format!("{list}[{i}]"),
            &item,
            "an object with \"role\" and \"content\"",
        ));
    };
    let mut fields = Fields::of(map);
    if list == "input" {
        // Items of another type aren't messages; what an answer's message has beside its content
        // says nothing new.
        if let Some(kind) = fields.take("type").filter(|kind| kind != "message") {
            return Err(wrong(&at("type"), &kind, "\"message\", the only type supported,"));
        }
        for name in ["id", "status", "phase"] {
            fields.take(name);
        }
    }
    let said =
        history::read(&mut fields).map_err(|problem| problem.inside(&format!("{list}[{i}]")))?;
    let role = match fields.take("role") {
        Some(Value::String(role)) if ROLES.contains(&role.as_str()) => role,
        Some(Value::String(role)) if matches!(role.as_str(), "tool" | "function") => {
            return Err(history::no_tools(
                &at("role"),
                &format!("\"{}\" is \"{role}\"", at("role")),
            ));
        }
        other => {
            let found = other.unwrap_or_default();
            return Err(wrong(
                &at("role"),
                &found,
                "\"system\", \"developer\", \"user\" or \"assistant\"",
            ));
        }
    };
    let content = match fields.take("content") {
        Some(Value::String(content)) => Content::Text(content),
        Some(Value::Array(parts)) => {
            let texts = parts.into_iter().map(|part| part_text(&at("content"), part));
            Content::Parts(texts.collect::<Result<_, _>>()?)
        }
        // An assistant that said nothing.
        None if role == "assistant" => Content::Text(String::new()),
        other => {
            return Err(wrong(
                &at("content"),
                &other.unwrap_or_default(),
                "a text or a list of text parts",
            ));
        }
    };
    // The messages of a response have none.
    let name = match (list == "messages").then(|| fields.take("name")).flatten() {
        None => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(wrong(&at("name"), &other, "a text")),
    };
    fields.end().map_err(|problem| problem.inside(&format!("{list}[{i}]")))?;
    Ok(Message { role, content, name, reasoning_content: said.reasoning })
}

fn part_text(name: &str, part: Value) -> Result<String, Problem> {
    let expected = "parts of text, the only ones supported,";
    let Value::Object(map) = &part else { return Err(wrong(name, &part, expected)) };
    match (map.get("type").and_then(Value::as_str), map.get("text").and_then(Value::as_str)) {
        (Some("text" | "input_text" | "output_text"), Some(text)) => Ok(text.to_string()),
        _ => Err(wrong(name, &part, expected)),
    }
}

/// Checks that a request asks for the model that is served.
pub(crate) fn check_model(fields: &mut Fields, names: &[String]) -> Result<(), Problem> {
    match fields.text("model")? {
        Some(name) if !names.contains(&name) => Err(no_model(&name, &names[0])),
        _ => Ok(()),
    }
}

/// The problem of a model that isn't served.
pub(crate) fn no_model(asked: &str, own: &str) -> Problem {
    let asked = shortened(asked);
    let message = format!("there is no model \"{asked}\" here, only \"{own}\"");
    Problem::not_found("model_not_found", message).inside("model")
}
