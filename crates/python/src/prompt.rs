//! What Python gives as a prompt: a text, messages or token ids.

use kelvin_engine::{
    Engine, TokenId,
    chat::{Day, Message, RenderOptions},
};
use kelvin_views::token;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString},
};

use crate::{arrays::token_ids, parts::value_error};

/// The tokens of a prompt that is a text (with the model's beginning token) or token ids.
pub(crate) fn tokens(engine: &Engine, given: &Bound<'_, PyAny>) -> PyResult<Vec<TokenId>> {
    read(engine, given, true, "the prompt")
}

/// The tokens of more text in the midst of a text, or token ids.
pub(crate) fn continuation(engine: &Engine, given: &Bound<'_, PyAny>) -> PyResult<Vec<TokenId>> {
    if let Ok(id) = given.extract::<u32>() {
        return Ok(vec![TokenId(id)]);
    }
    read(engine, given, false, "tokens")
}

fn read(
    engine: &Engine,
    given: &Bound<'_, PyAny>,
    add_special: bool,
    name: &str,
) -> PyResult<Vec<TokenId>> {
    let ids = match given.cast::<PyString>() {
        Ok(text) => return encode(engine, &text.to_cow()?, add_special, true),
        Err(_) => token_ids(given, name)?,
    };
    check(engine, &ids)?;
    Ok(ids)
}

/// Refuses ids that the vocabulary doesn't have.
pub(crate) fn check(engine: &Engine, ids: &[TokenId]) -> PyResult<()> {
    let vocab = engine.tokenizer.vocab_size();
    match ids.iter().find(|id| id.index() >= vocab) {
        None => Ok(()),
        Some(id) => Err(PyValueError::new_err(format!(
            "there is no token {}; the model's ids go from 0 to {}",
            id.0,
            vocab - 1
        ))),
    }
}

/// The tokens of a text.
pub(crate) fn encode(
    engine: &Engine,
    text: &str,
    add_special: bool,
    parse_special: bool,
) -> PyResult<Vec<TokenId>> {
    if let Some(problem) = token::unreadable(&engine.tokenizer, text, parse_special) {
        return Err(PyValueError::new_err(problem));
    }
    Ok(engine.tokenizer.encode(text, add_special, parse_special))
}

/// The tokens of messages in the model's chat template.
pub(crate) fn chat(
    engine: &Engine,
    messages: &Bound<'_, PyAny>,
    add_generation_prompt: bool,
    date: Option<&str>,
) -> PyResult<Vec<TokenId>> {
    let template = match &engine.template {
        Some(Ok(template)) => template,
        Some(Err(error)) => return Err(value_error(format!("the chat template: {error}"))),
        None => return Err(PyValueError::new_err("the model has no chat template")),
    };
    let messages = match messages.cast::<PyString>() {
        Ok(text) => vec![Message::new("user", text.to_cow()?.into_owned())],
        Err(_) => messages.try_iter()?.map(|one| message(&one?)).collect::<PyResult<_>>()?,
    };
    let day = Day::read(date).map_err(|_| {
        PyValueError::new_err(format!(
            "date is {:?}; a date is written YYYY-MM-DD, or today",
            date.unwrap_or_default()
        ))
    })?;
    let date = template.may_ask_date().then(|| day.date());
    let options = RenderOptions { add_generation_prompt, date };
    Ok(template.render(&messages, &options).map_err(value_error)?.encode(&engine.tokenizer))
}

fn message(given: &Bound<'_, PyAny>) -> PyResult<Message> {
    let found = given.get_type();
    let fields = given.cast::<PyDict>().map_err(|_| {
        PyTypeError::new_err(format!(
            "a message is {found}, expected a dictionary such as {{\"role\": \"user\", \
             \"content\": \"Hi\"}}"
        ))
    })?;
    let field = |name: &str| -> PyResult<String> {
        let value = fields
            .get_item(name)?
            .ok_or_else(|| PyValueError::new_err(format!("a message has no field {name:?}")))?;
        value.extract().map_err(|_| {
            PyTypeError::new_err(format!("the field {name:?} of a message is no text"))
        })
    };
    Ok(Message::new(field("role")?, field("content")?))
}
