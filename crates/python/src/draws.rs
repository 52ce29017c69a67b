//! A chain on rows of logits: what survives, what is drawn, and what each stage does.

use kelvin_engine::TokenId;
use kelvin_sampling::{Dice, Distribution, SampleError, Sampler, State, Trace};
use kelvin_views::{html, trace::StageRow};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, ndarray::ArrayView1};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyList};

use crate::{
    arrays,
    parts::{Part, Reached, Watched, last_stages, looks_back, no_stages, reach, value_error},
};

/// What a draw depends on beside the logits.
pub(crate) struct Draws<'a, 'py> {
    /// Tokens so far: of the row, or a list of them for a batch.
    pub(crate) history: Option<&'a Bound<'py, PyAny>>,
    /// How many of them are the prompt; all, if it isn't said.
    pub(crate) n_prompt: Option<usize>,
    pub(crate) seed: u64,
    /// One for each row, or one for all.
    pub(crate) samples: Vec<u64>,
    /// The absolute index of the token to be drawn; the length of the history if it isn't said.
    pub(crate) position: Option<u64>,
}

/// One row and what belongs to it.
struct Row<'a> {
    logits: ArrayView1<'a, f32>,
    state: State,
    dice: Dice,
    position: u64,
}

/// What a chain leaves of a row of logits.
///
/// ids (uint32, rising), logits (f32) and probabilities (f64) are arrays of shape (survivors,).
/// temperature is the product of the chain's temperatures, entropy is in nats.
///
/// Examples:
///     >>> left = kelvin.Chain("temp=1 | top_k=2").apply([1.0, 2.0, 0.0])
///     >>> left.ids, left.probabilities
///     (array([0, 1], dtype=uint32), array([0.26894142, 0.73105858]))
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Survivors {
    /// Token ids, uint32, rising, shape (survivors,).
    #[pyo3(get)]
    ids: Py<PyArray1<u32>>,
    /// Logits as the stages left them, before the temperature, f32, shape (survivors,).
    #[pyo3(get)]
    logits: Py<PyArray1<f32>>,
    /// Probabilities, f64, shape (survivors,); their sum is 1.
    #[pyo3(get)]
    probabilities: Py<PyArray1<f64>>,
    /// The product of the temperatures; 1 without one.
    #[pyo3(get)]
    temperature: f64,
    /// Entropy in nats.
    #[pyo3(get)]
    entropy: f64,
    /// The likeliest ids and probabilities, for display.
    first: Vec<(u32, f64)>,
    rest: (usize, f64),
    /// Texts of the first tokens, if a model is known.
    texts: Vec<String>,
}

/// How many tokens are displayed.
const N_SHOWN: usize = 10;

impl Survivors {
    pub(crate) fn new(
        py: Python<'_>,
        left: Distribution,
        texts: &dyn Fn(u32) -> Option<String>,
    ) -> Survivors {
        let first: Vec<(u32, f64)> =
            left.top(N_SHOWN).iter().map(|choice| (choice.token.0, choice.probability)).collect();
        let rest = left.rest(N_SHOWN);
        let texts = first.iter().filter_map(|(id, _)| texts(*id)).collect();
        let (temperature, entropy) = (left.temperature(), left.entropy());
        let (ids, logits, probabilities) = left.into_parts();
        Survivors {
            ids: ids.into_pyarray(py).unbind(),
            logits: logits.into_pyarray(py).unbind(),
            probabilities: probabilities.into_pyarray(py).unbind(),
            temperature,
            entropy,
            first,
            rest,
            texts,
        }
    }

    fn bars(&self) -> Vec<html::Bar> {
        let label = |i: usize, id: u32| self.texts.get(i).cloned().unwrap_or(format!("#{id}"));
        let bar =
            |(i, &(id, share)): (usize, &(u32, f64))| html::Bar { label: label(i, id), share };
        self.first.iter().enumerate().map(bar).collect()
    }
}

#[pymethods]
impl Survivors {
    /// exp(entropy): how many equally likely tokens would be as uncertain.
    #[getter]
    fn effective_choices(&self) -> f64 {
        self.entropy.exp()
    }

    /// The n likeliest tokens: pairs of id and probability, ties by lower id.
    ///
    /// Examples:
    ///     >>> kelvin.Chain().apply([0.0, 0.0, -np.inf]).top(1)
    ///     [(0, 0.5)]
    #[pyo3(signature = (n = 10))]
    fn top(&self, py: Python<'_>, n: usize) -> PyResult<Vec<(u32, f64)>> {
        let (ids, ps) = (self.ids.bind(py).readonly(), self.probabilities.bind(py).readonly());
        let mut all: Vec<(u32, f64)> =
            ids.as_slice()?.iter().copied().zip(ps.as_slice()?.iter().copied()).collect();
        // Stable, so that ties keep the rising order of ids.
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(n);
        Ok(all)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.ids.bind(py).readonly().as_slice()?.len())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(html::bars_text(&self.title(py)?, &self.bars(), self.rest))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        Ok(html::bars(&self.title(py)?, &self.bars(), self.rest))
    }
}

impl Survivors {
    fn title(&self, py: Python<'_>) -> PyResult<String> {
        let n = self.__len__(py)?;
        let (entropy, choices) = (self.entropy, self.entropy.exp());
        Ok(format!("{n} survivors, entropy {entropy:.2} nats, {choices:.1} effective choices"))
    }
}

/// A drawn token with its figures, in nats.
///
/// "Raw" is the distribution of the logits at T = 1, "final" the one after the chain.
///
/// Examples:
///     >>> kelvin.Chain("temp=0").draw([0.0, 1.0])
///     Draw(token=1, rank=0, surprisal=0.3133, survivors=1)
#[pyclass(frozen, module = "kelvin", get_all, eq)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draw {
    /// The id.
    token: u32,
    /// How many survivors precede it in descending order.
    rank: u32,
    /// -ln p of it, raw.
    surprisal: f64,
    /// -ln p of it, final.
    surprisal_final: f64,
    /// Entropy, raw.
    entropy: f64,
    /// Entropy, final.
    entropy_final: f64,
    /// Tokens that the chain left.
    survivors: u32,
}

impl Draw {
    pub(crate) fn id(&self) -> TokenId {
        TokenId(self.token)
    }
}

#[pymethods]
impl Draw {
    fn __int__(&self) -> u32 {
        self.token
    }

    fn __index__(&self) -> u32 {
        self.token
    }

    fn __repr__(&self) -> String {
        let Draw { token, rank, surprisal, survivors, .. } = self;
        format!("Draw(token={token}, rank={rank}, surprisal={surprisal:.4}, survivors={survivors})")
    }
}

/// What each stage of a chain did to a row of logits.
///
/// Examples:
///     >>> explanation = kelvin.Chain("top_k=1").explain([0.0, 1.0])
///     >>> round(explanation.stages[0]["mass_removed"], 4), len(explanation.survivors)
///     (0.2689, 1)
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Explanation {
    rows: Vec<StageRow>,
    /// What the last stage left.
    #[pyo3(get)]
    survivors: Py<Survivors>,
}

#[pymethods]
impl Explanation {
    /// One dictionary for each stage: survivors and entropy (nats) before and after, mass removed.
    #[getter]
    fn stages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::json::object(py, &self.rows)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let survivors = self.survivors.bind(py).get().__repr__(py)?;
        Ok(format!("{}\n{survivors}", html::stages_text(&self.rows)))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let survivors = self.survivors.bind(py).get()._repr_html_(py)?;
        Ok(format!("{}{survivors}", html::stages(&self.rows)))
    }
}

/// The survivors of each row.
pub(crate) fn apply<'py>(
    py: Python<'py>,
    parts: &[Part],
    logits: &Bound<'py, PyAny>,
    draws: &Draws<'_, 'py>,
) -> PyResult<Py<PyAny>> {
    each(py, parts, logits, draws, &mut |row, xs| {
        let left = distribution(py, parts, row, xs)?;
        Ok(Py::new(py, Survivors::new(py, left, &|_| None))?.into_any())
    })
}

/// A draw from each row.
pub(crate) fn draw<'py>(
    py: Python<'py>,
    parts: &[Part],
    logits: &Bound<'py, PyAny>,
    draws: &Draws<'_, 'py>,
) -> PyResult<Py<PyAny>> {
    let mut sampler = Sampler::new(last_stages(parts).clone(), Dice::default());
    each(py, parts, logits, draws, &mut |row, xs| {
        sampler.set_state(row.state.clone());
        Ok(Py::new(py, drawn(py, parts, &mut sampler, row.dice, row.position, xs)?)?.into_any())
    })
}

/// Draws with a sampler of the chain's last stages, which keeps the state.
pub(crate) fn drawn(
    py: Python<'_>,
    parts: &[Part],
    sampler: &mut Sampler,
    dice: Dice,
    position: u64,
    xs: &[f32],
) -> PyResult<Draw> {
    let state = sampler.state().clone();
    let Reached { row, words } =
        reach(parts, py, xs, &state, dice.words(position), &mut |_| Ok(()))?;
    let last = row.as_deref().unwrap_or(xs);
    let mut draw = py.detach(|| sampler.draw_with(last, words)).map_err(value_error)?;
    if row.is_some() {
        // Raw figures are of the model's logits.
        let raw = kelvin_sampling::surprisal_and_entropy(xs, draw.token).map_err(value_error)?;
        (draw.surprisal, draw.entropy) = raw;
    }
    Ok(Draw {
        token: draw.token.0,
        rank: draw.rank,
        surprisal: draw.surprisal,
        surprisal_final: draw.surprisal_final,
        entropy: draw.entropy,
        entropy_final: draw.entropy_final,
        survivors: draw.survivors,
    })
}

/// What each stage does to one row.
pub(crate) fn explain<'py>(
    py: Python<'py>,
    parts: &[Part],
    logits: &Bound<'py, PyAny>,
    draws: &Draws<'_, 'py>,
) -> PyResult<Explanation> {
    let mut explained = None;
    each(py, parts, logits, draws, &mut |row, xs| {
        explained = Some(explanation(py, parts, row, xs)?);
        Ok(py.None())
    })?;
    explained.ok_or_else(|| PyValueError::new_err("logits has no rows, so there is nothing to say"))
}

fn explanation(py: Python<'_>, parts: &[Part], row: &Row<'_>, xs: &[f32]) -> PyResult<Explanation> {
    let mut rows = Vec::new();
    let Row { state, .. } = row;
    let words = row.dice.words(row.position);
    let Reached { row: reached, words } = reach(parts, py, xs, state, words, &mut |part| {
        match part {
            Watched::Stages(chain, xs, words) => {
                let trace = Trace::new(xs, chain, state, &words, &[])?;
                rows.extend(kelvin_views::trace::stages(&trace));
            }
            Watched::Function(name, before, after) => rows.push(of_function(name, before, after)?),
        }
        Ok(())
    })?;
    let last = reached.as_deref().unwrap_or(xs);
    let trace = Trace::new(last, last_stages(parts), state, &words, &[]).map_err(value_error)?;
    rows.extend(kelvin_views::trace::stages(&trace));
    let left = trace.distribution().clone();
    Ok(Explanation { rows, survivors: Py::new(py, Survivors::new(py, left, &|_| None))? })
}

/// What a function did, as if it were a stage.
fn of_function(stage: String, before: &[f32], after: &[f32]) -> Result<StageRow, SampleError> {
    let chain = kelvin_sampling::Chain::default();
    let (before, after) = (Distribution::new(before, &chain)?, Distribution::new(after, &chain)?);
    let (survivors, entropy) =
        ((before.survivors(), after.survivors()), (before.entropy(), after.entropy()));
    let (ids, _, ps) = before.into_parts();
    let gone = |id: &u32| after.rank(TokenId(*id)).is_none();
    let removed = ids.iter().zip(ps).filter(|(id, _)| survivors.0 != survivors.1 && gone(id));
    Ok(StageRow {
        stage,
        survivors_before: survivors.0,
        survivors_after: survivors.1,
        entropy_before: entropy.0,
        entropy_after: entropy.1,
        mass_removed: removed.map(|(_, p)| p).fold(0.0, |sum, p| sum + p),
    })
}

fn distribution(
    py: Python<'_>,
    parts: &[Part],
    row: &Row<'_>,
    xs: &[f32],
) -> PyResult<Distribution> {
    let words = row.dice.words(row.position);
    let Reached { row: reached, words } = reach(parts, py, xs, &row.state, words, &mut |_| Ok(()))?;
    let last = reached.as_deref().unwrap_or(xs);
    py.detach(|| Distribution::after(last, last_stages(parts), &row.state, &words))
        .map_err(value_error)
}

/// Makes an answer of a row and its logits.
type Act<'a> = dyn FnMut(&Row<'_>, &[f32]) -> PyResult<Py<PyAny>> + 'a;

/// Calls `act` with each row: one answer for a row, a list for a batch.
fn each<'py>(
    py: Python<'py>,
    parts: &[Part],
    logits: &Bound<'py, PyAny>,
    draws: &Draws<'_, 'py>,
    act: &mut Act<'_>,
) -> PyResult<Py<PyAny>> {
    let array = arrays::logits(logits, "logits")?;
    let (rows, is_one) = arrays::rows(array.as_array(), "logits")?;
    let histories = histories(draws.history, rows.len(), is_one)?;
    if draws.samples.len() != 1 && draws.samples.len() != rows.len() {
        return Err(PyValueError::new_err(format!(
            "{} samples for {} rows; give one for each, or one for all",
            draws.samples.len(),
            rows.len()
        )));
    }
    let mut answers = Vec::with_capacity(rows.len());
    for (i, logits) in rows.into_iter().enumerate() {
        let tokens = histories.get(i).cloned().unwrap_or_default();
        let n_prompt = draws.n_prompt.unwrap_or(tokens.len());
        if n_prompt > tokens.len() {
            return Err(PyValueError::new_err(format!(
                "n_prompt is {n_prompt}, but the history has only {} tokens",
                tokens.len()
            )));
        }
        let position = draws.position.unwrap_or(tokens.len() as u64);
        let sample = draws.samples[if draws.samples.len() == 1 { 0 } else { i }];
        let dice = Dice { seed: draws.seed, sample };
        let tokens = if looks_back(parts) { tokens } else { Vec::new() };
        let state = State::restore(tokens, n_prompt, None);
        let row = Row { logits, state, dice, position };
        let answer = match row.logits.as_slice() {
            Some(xs) => act(&row, xs),
            None => act(&row, &row.logits.to_vec()),
        };
        let answer = answer.map_err(|error| if is_one { error } else { in_row(py, error, i) });
        answers.push(answer?);
        if i % 64 == 63 {
            py.check_signals()?;
        }
    }
    match answers.pop() {
        Some(one) if is_one => Ok(one),
        last => Ok(PyList::new(py, answers.into_iter().chain(last))?.into_any().unbind()),
    }
}

/// Where the rows of `logits` are in memory when a chain acts on them: addresses in bytes. Those of
/// the array itself, unless it had to be copied.
#[pyfunction]
pub(crate) fn row_addresses(py: Python<'_>, logits: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let mut addresses = Vec::new();
    let draws = Draws { history: None, n_prompt: None, seed: 0, samples: vec![0], position: None };
    each(py, &[Part::Stages(no_stages())], logits, &draws, &mut |_, xs| {
        addresses.push(xs.as_ptr() as usize);
        Ok(py.None())
    })?;
    Ok(addresses)
}

/// Says in which row of a batch something went wrong.
fn in_row(py: Python<'_>, error: PyErr, i: usize) -> PyErr {
    if error.is_instance_of::<PyValueError>(py) {
        return PyValueError::new_err(format!("row {i}: {}", error.value(py)));
    }
    error
}

/// The tokens before each row.
fn histories(
    given: Option<&Bound<'_, PyAny>>,
    n_rows: usize,
    is_one: bool,
) -> PyResult<Vec<Vec<TokenId>>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    if is_one {
        return Ok(vec![arrays::token_ids(given, "history")?]);
    }
    let each: Vec<Bound<'_, PyAny>> = given.try_iter()?.collect::<PyResult<_>>()?;
    if each.len() != n_rows {
        return Err(PyValueError::new_err(format!(
            "history has {} lists of tokens for {n_rows} rows of logits; give one for each row",
            each.len()
        )));
    }
    each.iter().map(|tokens| arrays::token_ids(tokens, "history")).collect()
}
