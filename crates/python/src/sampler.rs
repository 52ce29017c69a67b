//! `Sampler`: the draws of one sequence, whose state a chain's stages remember.

use kelvin_sampling::{Dice, State};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    arrays,
    chain::Chain,
    draws::{Draw, drawn},
};

/// Draws the tokens of one sequence; see kelvin/_kelvin.pyi.
#[pyclass(module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Sampler {
    chain: Py<Chain>,
    inner: kelvin_sampling::Sampler,
}

#[pymethods]
impl Sampler {
    #[new]
    #[pyo3(signature = (chain = None, *, prompt = None, seed = 0, sample = 0))]
    fn new(
        py: Python<'_>,
        chain: Option<&Bound<'_, PyAny>>,
        prompt: Option<&Bound<'_, PyAny>>,
        seed: u64,
        sample: u64,
    ) -> PyResult<Sampler> {
        let chain = Chain::given(py, chain)?;
        let prompt = prompt.map(|ids| arrays::token_ids(ids, "prompt")).transpose()?;
        let last = chain.bind(py).get().last().clone();
        let mut inner = kelvin_sampling::Sampler::new(last, Dice { seed, sample });
        inner.set_state(State::of_prompt(&prompt.unwrap_or_default()));
        Ok(Sampler { chain, inner })
    }

    /// Draws the token at a position and remembers it.
    #[pyo3(signature = (logits, position = None))]
    fn draw(
        &mut self,
        py: Python<'_>,
        logits: &Bound<'_, PyAny>,
        position: Option<u64>,
    ) -> PyResult<Draw> {
        let array = arrays::logits(logits, "logits")?;
        let (rows, is_one) = arrays::rows(array.as_array(), "logits")?;
        if !is_one {
            return Err(PyValueError::new_err(
                "a sampler draws for one sequence, so logits must have the shape (vocab,)",
            ));
        }
        let before = self.inner.state().tokens().len();
        let position = position.unwrap_or(before as u64);
        let dice = self.inner.dice();
        let copy = if rows[0].is_standard_layout() { Vec::new() } else { rows[0].to_vec() };
        let xs = rows[0].as_slice().unwrap_or(&copy);
        let draw = drawn(py, self.chain.bind(py).get(), &mut self.inner, dice, position, xs)?;
        // Without a penalty in the last stages the sampler doesn't keep tokens, but positions count.
        if self.inner.state().tokens().len() == before {
            let mut state = self.inner.state().clone();
            state.push(draw.id());
            self.inner.set_state(state);
        }
        Ok(draw)
    }

    /// The prompt and the tokens drawn since.
    #[getter]
    fn tokens(&self) -> Vec<u32> {
        self.inner.state().tokens().iter().map(|token| token.0).collect()
    }

    #[getter]
    fn chain(&self, py: Python<'_>) -> Py<Chain> {
        self.chain.clone_ref(py)
    }

    /// A fork: both draw the same tokens until they get different logits.
    fn fork(&self, py: Python<'_>) -> Sampler {
        Sampler { chain: self.chain.clone_ref(py), inner: self.inner.clone() }
    }
}
