//! Turns prompts into tokens: texts, token ids, and messages in the chat template.

use kelvin_engine::{
    Engine, TokenId,
    batch::GenerateError,
    chat::{ChatError, ChatTemplate, Message, RenderOptions, Rendered},
};
use kelvin_views::token::unreadable;

use super::{
    Shared,
    fields::shortened,
    places::{Places, in_characters},
    problem::Problem,
    requests::{ChatDate, Given, ModelName, Prompts},
};

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
    /// The maximum number of prompts in a list.
    pub(crate) most: usize,
    /// Tokens that a text may have.
    pub(crate) limit: usize,
    /// Whether the tokens' offsets are requested.
    pub(crate) offsets: bool,
}

/// How many tokens a context of `limit` has room for after a prompt of `len`, which came as the
/// parameter `name`. Refuses an empty prompt, and one that leaves no room.
pub(crate) fn left_after(len: usize, limit: usize, name: &str) -> Result<usize, Problem> {
    if len == 0 {
        return Err(Problem::parameter(name, GenerateError::EmptyPrompt.to_string()));
    }
    if len >= limit {
        let message = GenerateError::PromptTooLong { len, limit }.to_string();
        return Err(Problem::context(name, message));
    }
    Ok(limit - len)
}

/// The prompts of a completion.
pub(crate) fn of_completion(
    prompts: Prompts,
    add_special: bool,
    engine: &Engine,
    reading: Reading,
) -> Result<Vec<Prompt>, Problem> {
    let one = |prompt: Given| match prompt {
        Given::Text(text) => of_text(text, add_special, engine, reading),
        Given::Ids(ids) => Ok(of_ids(ids, engine, reading)),
    };
    let prompts = match prompts {
        Prompts::One(prompt) => return Ok(vec![one(prompt)?]),
        Prompts::Many(prompts) => prompts,
    };
    let most = reading.most;
    if prompts.len() > most {
        let message =
            format!("\"prompt\" has {} texts, but at most {most} can wait here", prompts.len());
        return Err(Problem::parameter("prompt", message));
    }
    prompts.into_iter().map(one).collect()
}

fn of_text(
    text: String,
    add_special: bool,
    engine: &Engine,
    reading: Reading,
) -> Result<Prompt, Problem> {
    check_length("prompt", &text, reading.limit, engine)?;
    readable("prompt", engine, &text, false)?;
    let (tokens, offsets) = if reading.offsets {
        let placed = engine.tokenizer.encode_with_places(&text, add_special, false);
        let (tokens, places): (Vec<TokenId>, Vec<usize>) = placed.into_iter().unzip();
        (tokens, in_characters(&text, places.into_iter()))
    } else {
        (engine.tokenizer.encode(&text, add_special, false), Vec::new())
    };
    Ok(Prompt { text, tokens, offsets, date: None })
}

fn of_ids(tokens: Vec<TokenId>, engine: &Engine, reading: Reading) -> Prompt {
    let mut offsets = Vec::new();
    if reading.offsets {
        let mut places = Places::default();
        offsets.extend(engine.tokenizer.pieces(&tokens, true).map(|bytes| places.push(bytes)));
    }
    Prompt { text: engine.tokenizer.decode(&tokens, true), tokens, offsets, date: None }
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

/// The text that the template makes of messages, up to where the answer begins.
pub(crate) fn rendered(
    messages: &[Message],
    date: Option<ChatDate>,
    shared: &Shared,
) -> Result<Rendered, Problem> {
    render(shared, messages, &day(date, shared), "messages")
}

/// The request's date, or else the server's.
fn day(date: Option<ChatDate>, shared: &Shared) -> String {
    let given = date.map(|date| date.0).filter(|date| date != "today");
    given.unwrap_or_else(|| shared.day.date())
}

/// Messages that came as the parameter `name`, in the model's template. A text that can't have as
/// few tokens as `limit` is refused.
pub(crate) fn of_messages(
    messages: &[Message],
    date: Option<ChatDate>,
    shared: &Shared,
    limit: usize,
    name: &str,
) -> Result<Prompt, Problem> {
    let date = day(date, shared);
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

/// Checks that a request asks for the model that is served.
pub(crate) fn check_model(model: Option<&ModelName>, names: &[String]) -> Result<(), Problem> {
    match model {
        Some(ModelName(name)) if !names.contains(name) => Err(no_model(name, &names[0])),
        _ => Ok(()),
    }
}

/// The problem of a model that isn't served.
pub(crate) fn no_model(asked: &str, own: &str) -> Problem {
    let asked = shortened(asked);
    let message = format!("there is no model \"{asked}\" here, only \"{own}\"");
    Problem::not_found("model_not_found", message).inside("model")
}
