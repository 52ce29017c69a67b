//! What Python gives as a recipe, and the worker that makes its texts: a model here, or a server.

use std::path::Path;

use kelvin::remote::{Manners, Remote};
use kelvin_engine::{Engine, TokenId, chat::Day};
use kelvin_lab::{
    Recipe,
    recipe::{Draft, Origin, RecipeError},
    run::Source,
    worker::{Local, Worker},
};
use kelvin_models::fetch::Permissions;
use kelvin_views::token;
use pyo3::{exceptions::PyUserWarning, prelude::*};

use crate::{
    open::{Opened, open, sha256},
    parts::value_error,
};

/// How texts are made; none of it changes a text.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    pub(crate) threads: usize,
    width: usize,
    offline: bool,
    accept_terms: bool,
    key_env: Option<String>,
    requests: usize,
    timeout: u64,
    patience: Option<u64>,
}

impl How {
    /// Whether a model may be fetched.
    pub(crate) fn permissions(&self) -> Permissions {
        Permissions { offline: self.offline, accept_terms: self.accept_terms }
    }
}

/// What a recipe's file and the fields over it ask for, as `kelvin sweep` reads them.
pub(crate) fn draft(file: Option<&Path>, fields: &str) -> PyResult<Draft> {
    let told = |error: RecipeError| value_error(error);
    let mut own = Draft::from_json(fields).map_err(told)?;
    if let Some(date) = &own.date {
        own.date = Some(Day::read(Some(date.as_str())).map_err(|_| bad_date(date))?.date());
    }
    let file = file.map(Draft::read).transpose().map_err(told)?;
    Ok(own.or(file.unwrap_or_default()).or_environment())
}

fn bad_date(found: &str) -> PyErr {
    value_error(format!("date is {found:?}; a date is written YYYY-MM-DD, or today"))
}

/// Opens the model of a recipe, or a way to its server, and hands that over. To be called with the
/// interpreter released.
pub(crate) fn with_worker<T>(
    recipe: &Recipe,
    how: &How,
    work: impl FnOnce(&mut dyn Worker) -> PyResult<T>,
) -> PyResult<T> {
    match &recipe.origin {
        Origin::Model(model) => {
            let Opened { engine, path, reference } = open(model, how.threads, how.permissions())?;
            let sha256 = sha256(&reference, &engine.files, &path)?;
            let source = Source::Local { model: model.clone(), sha256 };
            let prompts = prompts(&engine, recipe)?;
            let worker = Local::new(&engine, source, prompts, recipe.length.context, how.width);
            work(&mut worker.map_err(value_error)?)
        }
        Origin::Server { .. } => {
            let manners =
                Manners::new(how.key_env.as_deref(), how.requests, how.timeout, how.patience);
            let worker = Remote::new(recipe, manners.map_err(value_error)?);
            work(&mut worker.map_err(value_error)?)
        }
    }
}

/// Every prompt as the model reads it, just as `kelvin sweep` has it.
pub(crate) fn prompts(engine: &Engine, recipe: &Recipe) -> PyResult<Vec<Vec<TokenId>>> {
    let framing = &recipe.framing;
    let one = |(i, prompt): (usize, &kelvin_lab::run::Prompt)| {
        let framed = framing
            .read_for_recipe(engine, &prompt.text)
            .map_err(|error| value_error(format!("prompt {}: {error}", i + 1)))?;
        let special = framed.is_chat || framing.special;
        if let Some(why) = token::unreadable(&engine.tokenizer, &framed.text, special) {
            warn(&format!("prompt {}: {why}: the model reads the text without", i + 1))?;
        }
        Ok(framed.tokens)
    };
    recipe.prompts.iter().enumerate().map(one).collect()
}

fn warn(sentence: &str) -> PyResult<()> {
    Python::attach(|py| {
        let category = py.get_type::<PyUserWarning>();
        py.import("warnings")?.call_method1("warn", (sentence, category)).map(drop)
    })
}
