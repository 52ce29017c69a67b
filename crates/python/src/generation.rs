//! Continuations in the making: iterators of tokens that can be stopped, and results.
//!
//! Every continuation of a model is a request of its one batch. Each call of `next` runs steps of
//! the batch until the continuation has a token, so several that are read in turn run together.

use std::sync::Arc;

use kelvin_engine::{
    TokenId,
    batch::{GenerateError, Request, RequestId},
};
use kelvin_sampling::Draw;
use kelvin_views::html;
use pyo3::{
    exceptions::{PyMemoryError, PyRuntimeError},
    prelude::*,
    types::PyList,
};

use crate::{
    functions::Raised,
    parts::value_error,
    shared::{Event, Shared},
    text::{Growing, Recipe, Text, Token},
};

/// A request of the batch and what came of it.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    id: RequestId,
    /// What its thoughts may have begun in.
    prompt: Vec<TokenId>,
    recipes: Vec<Recipe>,
    texts: Vec<Growing>,
    has_ended: bool,
    /// What a function of a chain raised.
    raised: Raised,
}

/// What one look at the batch gave.
enum Look {
    Event(Event),
    Ended,
    Stepped,
}

impl Running {
    fn start(
        py: Python<'_>,
        shared: Arc<Shared>,
        request: Request,
        recipes: Vec<Recipe>,
        raised: Raised,
    ) -> PyResult<Running> {
        shared.check_place()?;
        let prompt = request.prompt.clone();
        let id = py.detach(|| {
            let mut seat = shared.seat();
            let id = seat.batch.admit(shared.engine(), request)?;
            seat.listen(id);
            Ok(id)
        });
        let id = id.map_err(|error: GenerateError| match error {
            GenerateError::NoRoom { .. } => PyMemoryError::new_err(format!(
                "{error}; ask for fewer or shorter texts, or open the model with a larger \
                 cache_tokens"
            )),
            _ => value_error(error),
        })?;
        let texts = recipes.iter().map(|_| Growing::default()).collect();
        Ok(Running { shared, id, prompt, recipes, texts, has_ended: false, raised })
    }

    /// The next token of any text, or none once all have ended.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Token>> {
        self.shared.check_place()?;
        while !self.has_ended {
            if let Some(error) = self.raised.take() {
                self.stop();
                return Err(error);
            }
            py.check_signals()?;
            let shared = &self.shared;
            let id = self.id;
            let looked = py.detach(|| {
                let mut seat = shared.seat();
                let inbox = seat.inbox(id);
                if let Some(event) = inbox.events.pop_front() {
                    return Ok(Look::Event(event));
                }
                if inbox.has_ended {
                    return Ok(Look::Ended);
                }
                seat.step(shared.engine()).map(|()| Look::Stepped)
            });
            match looked.map_err(|error| PyRuntimeError::new_err(error.to_string()))? {
                Look::Stepped => {}
                Look::Ended => self.end()?,
                Look::Event(event) => {
                    if let Some(token) = self.take(event) {
                        return Ok(Some(token));
                    }
                }
            }
        }
        Ok(None)
    }

    fn take(&mut self, event: Event) -> Option<Token> {
        match event {
            Event::Token { column, index, draw, text } => {
                let growing = &mut self.texts[column];
                growing.ids.push(draw.token);
                growing.draws.push(draw);
                growing.text.push_str(&text);
                Some(token(column, index, &draw, text))
            }
            Event::Finished { column, text, reason } => {
                self.texts[column].text.push_str(&text);
                self.texts[column].finish = Some(reason);
                None
            }
        }
    }

    /// All texts have ended: an error if one of them ended badly.
    fn end(&mut self) -> PyResult<()> {
        self.has_ended = true;
        self.shared.cancel(self.id);
        let failure = |growing: &Growing| growing.finish.as_ref().and_then(|f| f.failure());
        match self.texts.iter().find_map(failure) {
            Some(failure) => Err(PyRuntimeError::new_err(failure)),
            None => Ok(()),
        }
    }

    fn stop(&mut self) {
        if !self.has_ended {
            self.has_ended = true;
            self.shared.cancel(self.id);
            let open = self.texts.iter_mut().filter(|growing| growing.finish.is_none());
            open.for_each(|text| {
                text.finish = Some(kelvin_engine::generate::FinishReason::Cancelled)
            });
        }
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<()> {
        while self.next(py)?.is_some() {}
        Ok(())
    }

    fn text(&self, py: Python<'_>, column: usize) -> Text {
        let growing = self.texts[column].clone();
        Text::new(py, self.shared.engine(), &self.prompt, &self.recipes[column], growing)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn token(column: usize, index: usize, draw: &Draw, text: String) -> Token {
    Token {
        column,
        index,
        id: draw.token.0,
        text,
        rank: draw.rank,
        surprisal: draw.surprisal,
        surprisal_final: draw.surprisal_final,
        entropy: draw.entropy,
        entropy_final: draw.entropy_final,
        survivors: draw.survivors,
    }
}

/// One continuation in the making: an iterator of Token.
///
/// Several that are read in turn run in one batch.
///
/// Examples:
///     >>> generation = model.generate("Hi", max_tokens=3, ignore_end=True)
///     >>> [token.index for token in generation]
///     [0, 1, 2]
#[pyclass(module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Generation(Running);

impl Generation {
    pub(crate) fn start(
        py: Python<'_>,
        shared: Arc<Shared>,
        request: Request,
        recipe: Recipe,
        raised: Raised,
    ) -> PyResult<Generation> {
        Ok(Generation(Running::start(py, shared, request, vec![recipe], raised)?))
    }
}

#[pymethods]
impl Generation {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Token>> {
        self.0.next(py)
    }

    /// Ends it here; tokens so far stay. Stopping twice is fine.
    ///
    /// Examples:
    ///     >>> generation = model.generate("Hi")
    ///     >>> generation.stop()
    ///     >>> generation.has_ended
    ///     True
    fn stop(&mut self) {
        self.0.stop();
    }

    /// Runs it to its end.
    ///
    /// Raises:
    ///     RuntimeError: the model gave no logits that can be drawn from.
    ///     KeyboardInterrupt: Ctrl-C, after a step. It can be continued or stopped then.
    ///     What a function of the chain raises: it has ended then.
    ///
    /// Examples:
    ///     >>> model.generate("Hi", max_tokens=2, ignore_end=True).result().seed
    ///     0
    fn result(&mut self, py: Python<'_>) -> PyResult<Text> {
        self.0.finish(py)?;
        Ok(self.0.text(py, 0))
    }

    /// The text so far.
    #[getter]
    fn text(&self) -> &str {
        &self.0.texts[0].text
    }

    /// Whether nothing more comes.
    #[getter]
    fn has_ended(&self) -> bool {
        self.0.has_ended
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = self.0.text(py, 0).heading(py)?;
        Ok(format!("Generation({text}{})", if self.0.has_ended { "" } else { ", goes on" }))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let text = self.0.text(py, 0);
        Ok(html::columns(&[(text.heading(py)?, text.tinted(py)?)]))
    }
}

/// Continuations of one prompt side by side: an iterator of Token, whose column says which text.
///
/// All columns share their dice, so where two of them part, temperature is the only cause.
///
/// Examples:
///     >>> comparison = model.compare("Hi", [0, 5], max_tokens=2, ignore_end=True)
///     >>> sorted({token.column for token in comparison})
///     [0, 1]
#[pyclass(module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Comparison(Running);

impl Comparison {
    pub(crate) fn start(
        py: Python<'_>,
        shared: Arc<Shared>,
        request: Request,
        recipes: Vec<Recipe>,
        raised: Raised,
    ) -> PyResult<Comparison> {
        Ok(Comparison(Running::start(py, shared, request, recipes, raised)?))
    }
}

#[pymethods]
impl Comparison {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Token>> {
        self.0.next(py)
    }

    /// Ends all of them here; tokens so far stay. Stopping twice is fine.
    ///
    /// Examples:
    ///     >>> generation = model.compare("Hi")
    ///     >>> generation.stop()
    ///     >>> generation.has_ended
    ///     True
    fn stop(&mut self) {
        self.0.stop();
    }

    /// Runs them to their ends: a list of Text, by temperature and then by sample.
    ///
    /// Raises:
    ///     RuntimeError, KeyboardInterrupt: as Generation.result.
    ///
    /// Examples:
    ///     >>> len(model.compare("Hi", [0.5, 1], samples=2, max_tokens=2).result())
    ///     4
    fn result<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0.finish(py)?;
        self.texts(py)
    }

    /// The texts so far.
    #[getter]
    fn texts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let texts = (0..self.0.texts.len()).map(|column| Py::new(py, self.0.text(py, column)));
        PyList::new(py, texts.collect::<PyResult<Vec<_>>>()?)
    }

    /// Whether nothing more comes.
    #[getter]
    fn has_ended(&self) -> bool {
        self.0.has_ended
    }

    fn __len__(&self) -> usize {
        self.0.texts.len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = |column| {
            let text = self.0.text(py, column);
            Ok(format!("{}\n{}", text.heading(py)?, self.0.texts[column].text))
        };
        Ok((0..self.0.texts.len()).map(text).collect::<PyResult<Vec<_>>>()?.join("\n\n"))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let column = |column| {
            let text = self.0.text(py, column);
            Ok((text.heading(py)?, text.tinted(py)?))
        };
        let columns = (0..self.0.texts.len()).map(column).collect::<PyResult<Vec<_>>>()?;
        Ok(html::columns(&columns))
    }
}
