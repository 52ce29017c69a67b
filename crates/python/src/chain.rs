//! `Chain`: stages in order, of which some may be Python functions.
//!
//! Runs of Kelvin's own stages between two functions are a [`Chain`] each. A function gets the row
//! of logits that the stages before it leave: divided by their temperature, -inf where a token was
//! removed. The last run draws, so its state and its random words are those of the whole chain.

use kelvin_sampling::{Distribution, Profile, SampleError, State, Words};
use kelvin_views::translation::translate;
use numpy::PyArray1;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::{
    arrays::{self, shown},
    draws::{self, Draws},
};

/// A chain; see kelvin/_kelvin.pyi.
#[pyclass(frozen, module = "kelvin", name = "Chain")]
#[derive(Debug)]
pub(crate) struct Chain {
    /// The last one is of stages, maybe of none.
    parts: Vec<Part>,
}

/// Some of a chain.
#[derive(Debug)]
enum Part {
    Stages(kelvin_sampling::Chain),
    /// Takes a row of logits, and gives one or changes it.
    Function(Py<PyAny>),
}

/// What the last run of stages draws from.
pub(crate) struct Reached {
    /// Logits, if a function changed them.
    pub(crate) row: Option<Vec<f32>>,
    /// Random words for the stages that are left.
    pub(crate) words: Words,
}

pub(crate) fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[pymethods]
impl Chain {
    #[new]
    #[pyo3(signature = (*parts))]
    fn new(parts: &Bound<'_, PyTuple>) -> PyResult<Chain> {
        let mut taken: Vec<Part> = Vec::new();
        for part in parts.iter() {
            add(&mut taken, &part)?;
        }
        if taken.is_empty() {
            taken.push(Part::Stages(kelvin_sampling::Chain::default()));
        }
        if let Some(Part::Function(_)) = taken.last() {
            taken.push(Part::Stages(no_stages()));
        }
        let chain = Chain { parts: taken };
        chain.check()?;
        Ok(chain)
    }

    /// A chain from another engine's settings.
    #[staticmethod]
    #[pyo3(signature = (engine, settings = None))]
    fn from_(engine: &str, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Chain> {
        let profile: Profile = engine.parse().map_err(value_error)?;
        let stages = crate::settings::stages(profile, settings)?;
        let chain = profile.chain(&stages).map_err(value_error)?;
        Ok(Chain { parts: vec![Part::Stages(chain)] })
    }

    /// The chain in another engine's settings.
    fn to<'py>(&self, py: Python<'py>, engine: &str) -> PyResult<Bound<'py, PyAny>> {
        let profile: Profile = engine.parse().map_err(value_error)?;
        let Some(chain) = self.as_stages() else {
            return Err(PyValueError::new_err(format!(
                "{self}: a Python function can't be expressed in the settings of {engine}"
            )));
        };
        crate::json::object(py, &translate(chain, profile).map_err(value_error)?)
    }

    /// The chain at another temperature.
    fn with_temperature(&self, py: Python<'_>, t: f32) -> PyResult<Chain> {
        let heats = |part: &Part| matches!(part, Part::Stages(c) if c.temperature().is_some());
        let place = self.parts.iter().position(heats);
        if self.parts.iter().filter(|part| heats(part)).count() > 1 {
            return Err(PyValueError::new_err(format!(
                "the chain `{self}` has several `temp` stages; leave one"
            )));
        }
        let mut parts: Vec<Part> = self.parts.iter().map(|part| part.copy(py)).collect();
        match place {
            Some(place) => {
                if let Part::Stages(chain) = &mut parts[place] {
                    *chain = chain.with_temperature(t).map_err(value_error)?;
                }
            }
            None => {
                if let Some(Part::Stages(chain)) = parts.first_mut() {
                    *chain = chain.with_temperature(t).map_err(value_error)?;
                } else {
                    let chain = no_stages().with_temperature(t).map_err(value_error)?;
                    parts.insert(0, Part::Stages(chain));
                }
            }
        }
        Ok(Chain { parts })
    }

    /// The temperature of the only `temp` stage.
    #[getter]
    fn temperature(&self) -> Option<f32> {
        let chains = self.parts.iter().filter_map(|part| match part {
            Part::Stages(chain) => chain.temperature(),
            Part::Function(_) => None,
        });
        let all: Vec<f32> = chains.collect();
        if let [t] = all[..] { Some(t) } else { None }
    }

    /// Survivors and probabilities of one row or of each row of a batch.
    #[pyo3(signature = (logits, history = None, *, n_prompt = None, seed = 0, sample = 0, position = None))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        logits: &Bound<'py, PyAny>,
        history: Option<&Bound<'py, PyAny>>,
        n_prompt: Option<usize>,
        seed: u64,
        sample: u64,
        position: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let draws = Draws { history, n_prompt, seed, samples: vec![sample], position };
        draws::apply(py, self, logits, &draws)
    }

    /// Draws a token from one row or from each row of a batch.
    #[pyo3(signature = (logits, history = None, *, n_prompt = None, seed = 0, sample = None, position = None))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn draw<'py>(
        &self,
        py: Python<'py>,
        logits: &Bound<'py, PyAny>,
        history: Option<&Bound<'py, PyAny>>,
        n_prompt: Option<usize>,
        seed: u64,
        sample: Option<&Bound<'py, PyAny>>,
        position: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let samples = match sample {
            None => vec![0],
            Some(given) => given
                .extract::<u64>()
                .map(|one| vec![one])
                .or_else(|_| given.extract::<Vec<u64>>())?,
        };
        let draws = Draws { history, n_prompt, seed, samples, position };
        draws::draw(py, self, logits, &draws)
    }

    /// What each stage does to one row.
    #[pyo3(signature = (logits, history = None, *, n_prompt = None, seed = 0, sample = 0, position = None))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        logits: &Bound<'py, PyAny>,
        history: Option<&Bound<'py, PyAny>>,
        n_prompt: Option<usize>,
        seed: u64,
        sample: u64,
        position: Option<u64>,
    ) -> PyResult<draws::Explanation> {
        let draws = Draws { history, n_prompt, seed, samples: vec![sample], position };
        draws::explain(py, self, logits, &draws)
    }

    fn __str__(&self) -> String {
        self.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Chain({:?})", self.to_string())
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Chain>() else { return false };
        let (own, others) = (&self.parts, &other.get().parts);
        own.len() == others.len()
            && own.iter().zip(others).all(|(a, b)| match (a, b) {
                (Part::Stages(a), Part::Stages(b)) => a == b,
                (Part::Function(a), Part::Function(b)) => a.bind(py).eq(b).unwrap_or(false),
                _ => false,
            })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, &self.to_string()).hash()
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Stages(chain) => PyString::new(py, &chain.to_string()).into_any().unbind(),
            Part::Function(function) => function.clone_ref(py),
        });
        let parts: Vec<Py<PyAny>> = parts.collect();
        Ok((py.get_type::<Chain>().into_any(), PyTuple::new(py, parts)?))
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            match part {
                Part::Stages(chain) if chain.stages().is_empty() && i > 0 => {}
                Part::Stages(chain) => names.push(chain.to_string()),
                Part::Function(function) => {
                    names.push(Python::attach(|py| name_of(function.bind(py))));
                }
            }
        }
        f.write_str(&names.join(" | "))
    }
}

impl Part {
    fn copy(&self, py: Python<'_>) -> Part {
        match self {
            Part::Stages(chain) => Part::Stages(chain.clone()),
            Part::Function(function) => Part::Function(function.clone_ref(py)),
        }
    }
}

impl Chain {
    /// A chain of Kelvin's own stages.
    pub(crate) fn of(chain: kelvin_sampling::Chain) -> Chain {
        Chain { parts: vec![Part::Stages(chain)] }
    }

    /// What Python gave as a chain: one, its notation, or nothing for the neutral chain.
    pub(crate) fn given(py: Python<'_>, given: Option<&Bound<'_, PyAny>>) -> PyResult<Py<Chain>> {
        match given {
            None => Py::new(py, Chain::of(kelvin_sampling::Chain::default())),
            Some(given) => match given.cast::<Chain>() {
                Ok(chain) => Ok(chain.clone().unbind()),
                Err(_) => Py::new(py, Chain::new(&PyTuple::new(py, [given])?)?),
            },
        }
    }

    /// The chain, if it has no functions.
    pub(crate) fn as_stages(&self) -> Option<&kelvin_sampling::Chain> {
        if let [Part::Stages(chain)] = &self.parts[..] { Some(chain) } else { None }
    }

    /// The last run of stages, which draws.
    pub(crate) fn last(&self) -> &kelvin_sampling::Chain {
        match self.parts.last() {
            Some(Part::Stages(chain)) => chain,
            _ => unreachable!("a chain ends with stages, maybe none"),
        }
    }

    /// Whether a stage reads earlier tokens.
    pub(crate) fn looks_back(&self) -> bool {
        let looks = |part: &Part| matches!(part, Part::Stages(chain) if chain.looks_back());
        self.parts.iter().any(looks)
    }

    /// The rules of [`kelvin_sampling::Chain::new`] over all parts together.
    fn check(&self) -> PyResult<()> {
        let mut all = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            if let Part::Stages(chain) = part {
                all.extend_from_slice(chain.stages());
                if chain.learns() && i + 1 < self.parts.len() {
                    return Err(PyValueError::new_err(format!(
                        "`{chain}` learns from the draw, so no function can follow it"
                    )));
                }
            }
        }
        kelvin_sampling::Chain::new(all).map(drop).map_err(value_error)
    }

    /// Runs all but the last run of stages. `watch` is told the name of each function, and the rows
    /// before and after it; and the chains between, with what they acted on.
    pub(crate) fn reach(
        &self,
        py: Python<'_>,
        logits: &[f32],
        state: &State,
        mut words: Words,
        watch: &mut dyn FnMut(Watched<'_>) -> Result<(), SampleError>,
    ) -> PyResult<Reached> {
        let mut row: Option<Vec<f32>> = None;
        for part in &self.parts[..self.parts.len() - 1] {
            let before = row.as_deref().unwrap_or(logits);
            match part {
                Part::Stages(chain) if chain.stages().is_empty() => {}
                Part::Stages(chain) => {
                    watch(Watched::Stages(chain, before, words)).map_err(value_error)?;
                    let left = Distribution::after(before, chain, state, &words);
                    row = Some(left_by(left.map_err(value_error)?, logits.len()));
                    let random = chain.stages().iter().filter(|s| s.info().traits.random).count();
                    words.stages.rotate_left(random);
                }
                Part::Function(function) => {
                    let name = name_of(function.bind(py));
                    let after = call(function.bind(py), &name, before)?;
                    watch(Watched::Function(name, before, &after)).map_err(value_error)?;
                    row = Some(after);
                }
            }
        }
        Ok(Reached { row, words })
    }
}

/// A part of a chain at work.
pub(crate) enum Watched<'a> {
    Stages(&'a kelvin_sampling::Chain, &'a [f32], Words),
    Function(String, &'a [f32], &'a [f32]),
}

fn no_stages() -> kelvin_sampling::Chain {
    kelvin_sampling::Chain::new(Vec::new()).expect("no stages break no rule")
}

/// Adds what was given as a part: a text in the notation, a chain, or a function.
fn add(parts: &mut Vec<Part>, given: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = given.cast::<PyString>() {
        let chain = text.to_cow()?.parse::<kelvin_sampling::Chain>().map_err(value_error)?;
        join(parts, chain)?;
    } else if let Ok(chain) = given.cast::<Chain>() {
        for part in &chain.get().parts {
            match part.copy(given.py()) {
                Part::Stages(chain) => join(parts, chain)?,
                function => parts.push(function),
            }
        }
    } else if given.is_callable() && !given.is_instance_of::<pyo3::types::PyType>() {
        parts.push(Part::Function(given.clone().unbind()));
    } else {
        return Err(PyTypeError::new_err(format!(
            "a part of a chain is {}, expected its notation such as \"temp=0.8 | top_k=40\", a \
             Chain, or a function of a row of logits",
            given.get_type()
        )));
    }
    Ok(())
}

/// Appends stages, to the stages before them if those come last.
fn join(parts: &mut Vec<Part>, chain: kelvin_sampling::Chain) -> PyResult<()> {
    if let Some(Part::Stages(before)) = parts.last_mut() {
        let all = [before.stages(), chain.stages()].concat();
        *before = kelvin_sampling::Chain::new(all).map_err(value_error)?;
    } else {
        parts.push(Part::Stages(chain));
    }
    Ok(())
}

/// The row that stages leave: logits over their temperature, -inf for what they removed.
fn left_by(left: Distribution, vocab: usize) -> Vec<f32> {
    let mut row = vec![f32::NEG_INFINITY; vocab];
    let t = left.temperature();
    if t == 0.0 {
        let top = left.top(1)[0];
        row[top.token.index()] = top.logit;
        return row;
    }
    let (ids, xs, _) = left.into_parts();
    for (id, x) in ids.into_iter().zip(xs) {
        row[id as usize] = (f64::from(x) / t) as f32;
    }
    row
}

fn name_of(function: &Bound<'_, PyAny>) -> String {
    let name = function.getattr("__name__").and_then(|name| name.extract::<String>());
    format!("{}()", name.unwrap_or_else(|_| "function".to_string()))
}

/// Calls a stage that is a Python function with a copy of the row.
fn call(function: &Bound<'_, PyAny>, name: &str, row: &[f32]) -> PyResult<Vec<f32>> {
    let given = PyArray1::from_slice(function.py(), row);
    let answer = function.call1((&given,))?;
    let answer = if answer.is_none() { given.into_any() } else { answer };
    let array = arrays::logits(&answer, &format!("the answer of the stage {name}"))?;
    let view = array.as_array();
    if view.shape() != [row.len()] {
        return Err(PyValueError::new_err(format!(
            "the stage {name} gave logits of the shape {}, expected ({},): one for each token",
            shown(view.shape()),
            row.len()
        )));
    }
    if let Some(id) = view.iter().position(|x| x.is_nan() || *x == f32::INFINITY) {
        return Err(PyValueError::new_err(format!(
            "the stage {name} gave {} for token {id}, expected a finite number, or -inf to mask it",
            view[[id]]
        )));
    }
    Ok(view.iter().copied().collect())
}
