//! What Python asks of a continuation, as a request of the batch.

use kelvin_engine::{
    Engine,
    batch::{Draft, Request},
    generate::{Ends, banned_strings},
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyString};

use crate::{chain::Chain, parts::value_error, prompt};

/// What ends a continuation, as Python gives it.
pub(crate) struct Length<'a, 'py> {
    pub(crate) max_tokens: usize,
    pub(crate) min_tokens: usize,
    pub(crate) stop: Option<&'a Bound<'py, PyAny>>,
    pub(crate) ignore_end: bool,
    /// Most tokens of thoughts.
    pub(crate) think: Option<usize>,
    pub(crate) ban_strings: Option<&'a Bound<'py, PyAny>>,
}

/// A chain of Kelvin's own stages, made for the model's vocabulary.
pub(crate) fn stages(
    engine: &Engine,
    py: Python<'_>,
    chain: Option<&Bound<'_, PyAny>>,
) -> PyResult<kelvin_sampling::Chain> {
    let chain = Chain::given(py, chain)?;
    let chain = chain.bind(py).get();
    let stages = chain.as_stages().ok_or_else(|| {
        PyValueError::new_err(format!(
            "the chain `{chain}` has a Python function: draw with Chain.draw from the logits \
             of a Sequence"
        ))
    })?;
    engine.bind(stages).map_err(value_error)
}

/// What is asked of the batch.
pub(crate) fn request(
    engine: &Engine,
    prompt: &Bound<'_, PyAny>,
    drafts: Vec<Draft>,
    length: &Length<'_, '_>,
) -> PyResult<Request> {
    let banned = banned_strings(&texts(length.ban_strings)?)
        .map_err(|problem| value_error(format!("ban_strings: {problem}")))?;
    let thoughts = engine.thoughts(length.think, false);
    let thoughts = thoughts.map_err(|problem| value_error(format!("think: {problem}")))?;
    let tokens = prompt::tokens(engine, prompt)?;
    let mut request = Request::new(tokens, Vec::new());
    request.drafts = drafts;
    request.ends = Ends {
        max_tokens: length.max_tokens,
        min_tokens: length.min_tokens,
        limit: engine.model.config.ctx_len,
        ignore_end: length.ignore_end,
        texts: strings(length.stop)?,
        banned,
        thoughts,
        ..Ends::default()
    };
    Ok(request)
}

/// Stop strings.
pub(crate) fn strings(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let stop = texts(given)?;
    if stop.iter().any(String::is_empty) {
        return Err(PyValueError::new_err("a stop string is empty, which every text contains"));
    }
    Ok(stop)
}

/// A text, or several.
fn texts(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    match given {
        None => Ok(Vec::new()),
        Some(given) => match given.cast::<PyString>() {
            Ok(text) => Ok(vec![text.to_cow()?.into_owned()]),
            Err(_) => given.extract::<Vec<String>>(),
        },
    }
}
