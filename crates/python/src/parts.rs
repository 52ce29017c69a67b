//! The parts of a chain: runs of Kelvin's own stages, and Python functions between them.
//!
//! A function gets the row of logits that the stages before it leave: divided by their temperature,
//! -inf where a token was removed. The last run of stages draws, so its state and its random words
//! are those of the whole chain.

use kelvin_sampling::{Distribution, SampleError, State, Words};
use numpy::PyArray1;
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::arrays::{self, shown};

/// Some of a chain.
#[derive(Debug)]
pub(crate) enum Part {
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

impl Part {
    pub(crate) fn copy(&self, py: Python<'_>) -> Part {
        match self {
            Part::Stages(chain) => Part::Stages(chain.clone()),
            Part::Function(function) => Part::Function(function.clone_ref(py)),
        }
    }
}

/// The last run of stages of a chain, which draws.
pub(crate) fn last_stages(parts: &[Part]) -> &kelvin_sampling::Chain {
    match parts.last() {
        Some(Part::Stages(chain)) => chain,
        _ => unreachable!("a chain ends with stages, maybe none"),
    }
}

/// Whether a stage reads earlier tokens.
pub(crate) fn looks_back(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Stages(chain) if chain.looks_back()))
}

/// Runs all but the last run of stages. `watch` is told the name of each function, and the rows
/// before and after it; and the chains between, with what they acted on.
pub(crate) fn reach(
    parts: &[Part],
    py: Python<'_>,
    logits: &[f32],
    state: &State,
    mut words: Words,
    watch: &mut dyn FnMut(Watched<'_>) -> Result<(), SampleError>,
) -> PyResult<Reached> {
    let mut row: Option<Vec<f32>> = None;
    for part in &parts[..parts.len() - 1] {
        let before = row.as_deref().unwrap_or(logits);
        match part {
            Part::Stages(chain) if chain.stages().is_empty() => {}
            Part::Stages(chain) => {
                watch(Watched::Stages(chain, before, words)).map_err(value_error)?;
                let left = py.detach(|| {
                    let left = Distribution::after(before, chain, state, &words)?;
                    Ok(left_by(left, logits.len()))
                });
                row = Some(left.map_err(|error: SampleError| value_error(error))?);
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

/// A part of a chain at work.
pub(crate) enum Watched<'a> {
    Stages(&'a kelvin_sampling::Chain, &'a [f32], Words),
    Function(String, &'a [f32], &'a [f32]),
}

pub(crate) fn no_stages() -> kelvin_sampling::Chain {
    kelvin_sampling::Chain::new(Vec::new()).expect("no stages break no rule")
}

/// Appends stages, to the stages before them if those come last.
pub(crate) fn join(parts: &mut Vec<Part>, chain: kelvin_sampling::Chain) -> PyResult<()> {
    if let Some(Part::Stages(before)) = parts.last_mut() {
        if let Some(schedule) = [&*before, &chain].into_iter().find(|chain| chain.is_schedule()) {
            return Err(PyValueError::new_err(format!(
                "`{schedule}` is a schedule, so no stages can be joined to it"
            )));
        }
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

pub(crate) fn name_of(function: &Bound<'_, PyAny>) -> String {
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
