//! `Chain`: stages in order, of which some may be Python functions.

use kelvin_sampling::Profile;
use kelvin_views::translation::translate_to;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::{
    draws::{self, Draws},
    parts::{Part, join, last_stages, name_of, no_stages, value_error},
};

/// Sampling stages in order: what other engines call samplers or logits processors.
///
/// Args:
///     *parts: the notation ("temp=0.8 | top_k=40"), a Chain, or a function. A function gets a copy
///         of a row of logits, shape (vocab,), f32: divided by the temperature so far, -inf where a
///         token was removed. It returns such a row, or changes its own and returns None.
///         Without parts the chain is temp=1.
///
/// Raises:
///     ValueError: an unknown stage, a value outside its range, a learning stage that isn't last.
///     TypeError: a part of another type.
///
/// Source: of each stage, kelvin's book, docs/src/reference/stages.md.
///
/// Examples:
///     >>> chain = kelvin.Chain("temp=2 | top_k=2")
///     >>> chain.apply([2.0, 0.0, 1.0]).ids
///     array([0, 2], dtype=uint32)
///     >>> def no_first(row):
///     ...     row[0] = -np.inf
///     >>> print(kelvin.Chain("temp=2", no_first, "top_k=2"))
///     temp=2 | no_first() | top_k=2
#[pyclass(frozen, module = "kelvin", name = "Chain")]
#[derive(Debug)]
pub(crate) struct Chain {
    /// The last one is of stages, maybe of none.
    parts: Vec<Part>,
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

    /// The chain that another engine runs with these settings, in its own order.
    ///
    /// Args:
    ///     engine: kelvin, llama.cpp, vllm, transformers, ollama, openai, or another of `Engine`.
    ///     settings: numbers by the engine's names; its defaults hold for the others.
    ///
    /// Raises:
    ///     ValueError: an unknown engine or setting, or a value outside its range.
    ///
    /// Source: the engines' code, named in crates/sampling/src/profile.rs.
    ///
    /// Examples:
    ///     >>> print(kelvin.Chain.from_("llama.cpp", {"temperature": 2.0}))
    ///     top_k=40 | top_p=0.95 | min_p=0.05 | temp=2
    #[staticmethod]
    #[pyo3(signature = (engine, settings = None))]
    fn from_(engine: &str, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Chain> {
        let profile: Profile = engine.parse().map_err(value_error)?;
        let stages = crate::settings::stages(profile, settings)?;
        let chain = profile.chain(&stages).map_err(value_error)?;
        Ok(Chain { parts: vec![Part::Stages(chain)] })
    }

    /// The chain in another engine's settings.
    ///
    /// Returns:
    ///     A dictionary: settings by name, where they go (place), what the engine makes of
    ///     them (runs), and what it can't express (missing).
    ///
    /// Raises:
    ///     ValueError: an unknown engine, or a Python function in the chain.
    ///
    /// Source: as from_.
    ///
    /// Examples:
    ///     >>> kelvin.Chain("temp=0.5 | top_k=3").to("vllm")["settings"]["top_k"]
    ///     3
    fn to<'py>(&self, py: Python<'py>, engine: &str) -> PyResult<Bound<'py, PyAny>> {
        let Some(chain) = self.as_stages() else {
            return Err(PyValueError::new_err(format!(
                "{self}: a Python function can't be expressed in the settings of {engine}"
            )));
        };
        crate::json::object(py, &translate_to(chain, engine).map_err(PyValueError::new_err)?)
    }

    /// The chain with `t` in place of its only `temp`; without one it goes first.
    ///
    /// Raises:
    ///     ValueError: t is negative, infinite or NaN; the chain has several `temp` stages.
    ///
    /// Source: kelvin's book, docs/src/concepts/chain.md.
    ///
    /// Examples:
    ///     >>> print(kelvin.Chain("temp=1 | top_k=3").with_temperature(2))
    ///     temp=2 | top_k=3
    pub(crate) fn with_temperature(&self, py: Python<'_>, t: f32) -> PyResult<Chain> {
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

    /// The value of the only `temp` stage; None if there is none, or several.
    #[getter]
    pub(crate) fn temperature(&self) -> Option<f32> {
        let chains = self.parts.iter().filter_map(|part| match part {
            Part::Stages(chain) => chain.temperature(),
            Part::Function(_) => None,
        });
        let all: Vec<f32> = chains.collect();
        if let [t] = all[..] { Some(t) } else { None }
    }

    /// What the chain leaves of logits.
    ///
    /// Args:
    ///     logits: shape (vocab,) for one row or (rows, vocab) for a batch; f32 isn't copied.
    ///         -inf masks a token.
    ///     history: token ids so far, for penalties; a list of such lists for a batch.
    ///     n_prompt: how many of them are the prompt; by default all.
    ///     seed, sample, position: name the dice. position is the absolute index of the token to be
    ///         drawn; by default the length of the history.
    ///
    /// Returns:
    ///     Survivors for one row, a list of them for a batch.
    ///
    /// Raises:
    ///     ValueError: NaN, +inf, all masked, no token left, another shape.
    ///     TypeError: not numbers.
    ///
    /// Source: kelvin's book, docs/src/concepts/chain.md.
    ///
    /// Examples:
    ///     >>> rows = np.zeros((2, 4), np.float32)
    ///     >>> [len(left) for left in kelvin.Chain("top_k=3").apply(rows)]
    ///     [3, 3]
    #[pyo3(signature = (
        logits, history = None, *, n_prompt = None, seed = 0, sample = 0, position = None
    ))]
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
        draws::apply(py, &self.parts, logits, &draws)
    }

    /// Draws a token. The same logits, seed, sample and position give the same token everywhere.
    ///
    /// Args:
    ///     logits: shape (vocab,) for one row or (rows, vocab) for a batch; f32 isn't copied.
    ///         -inf masks a token.
    ///     history: token ids so far, for penalties; a list of such lists for a batch.
    ///     n_prompt: how many of them are the prompt; by default all.
    ///     seed, sample, position: name the dice. position is the absolute index of the token to be
    ///         drawn; by default the length of the history.
    ///     For a batch sample may be a list, one for each row.
    ///
    /// Returns:
    ///     Draw for one row, a list of them for a batch.
    ///
    /// Raises:
    ///     ValueError, TypeError: as apply.
    ///
    /// Source: kelvin's book, docs/src/concepts/dice.md.
    ///
    /// Examples:
    ///     >>> kelvin.Chain("temp=0").draw([1.0, 3.0, 2.0]).token
    ///     1
    #[pyo3(signature = (
        logits, history = None, *, n_prompt = None, seed = 0, sample = None, position = None
    ))]
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
        draws::draw(py, &self.parts, logits, &draws)
    }

    /// What each stage does to one row of logits.
    ///
    /// Args:
    ///     logits: shape (vocab,) for one row or (rows, vocab) for a batch; f32 isn't copied.
    ///         -inf masks a token.
    ///     history: token ids so far, for penalties; a list of such lists for a batch.
    ///     n_prompt: how many of them are the prompt; by default all.
    ///     seed, sample, position: name the dice. position is the absolute index of the token to be
    ///         drawn; by default the length of the history.
    ///
    /// Returns:
    ///     Explanation.
    ///
    /// Raises:
    ///     ValueError, TypeError: as apply.
    ///
    /// Source: kelvin's book, docs/src/concepts/chain.md.
    ///
    /// Examples:
    ///     >>> stages = kelvin.Chain("temp=2 | top_k=2").explain([2.0, 0.0, 1.0]).stages
    ///     >>> [(stage["stage"], stage["survivors_after"]) for stage in stages]
    ///     [('temp=2', 3), ('top_k=2', 2)]
    #[pyo3(signature = (
        logits, history = None, *, n_prompt = None, seed = 0, sample = 0, position = None
    ))]
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
        draws::explain(py, &self.parts, logits, &draws)
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
        last_stages(&self.parts)
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
                if chain.is_schedule() && i + 1 < self.parts.len() {
                    return Err(PyValueError::new_err(format!(
                        "`{chain}` is a schedule, so no function can follow it"
                    )));
                }
            }
        }
        kelvin_sampling::Chain::new(all).map(drop).map_err(value_error)
    }

    /// The parts, the last of which is of stages.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

/// Adds what was given as a part: a text in the notation, a chain, or a function.
pub(crate) fn add(parts: &mut Vec<Part>, given: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = given.cast::<PyString>() {
        let chain = text.to_cow()?.parse::<kelvin_sampling::Chain>().map_err(value_error)?;
        join(parts, chain)?;
    } else if let Ok(chain) = given.cast::<Chain>() {
        for part in chain.get().parts() {
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
