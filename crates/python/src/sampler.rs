//! `Sampler`: the draws of one sequence, whose state a chain's stages remember.

use kelvin_sampling::{Dice, State};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    arrays,
    chain::Chain,
    draws::{Draw, drawn},
};

/// Draws the tokens of one sequence, and remembers them for penalties and stages that learn.
///
/// Args:
///     chain: a Chain or its notation; temp=1 by default.
///     prompt: token ids before the first draw.
///     seed, sample: name the dice together with the position of each draw.
///
/// Raises:
///     ValueError, TypeError: as Chain.
///
/// Source: kelvin's book, docs/src/concepts/dice.md.
///
/// Examples:
///     >>> sampler = kelvin.Sampler("no_repeat_ngram=1 | temp=0", prompt=[2])
///     >>> [sampler.draw([1.0, 2.0, 3.0]).token for _ in range(2)]
///     [1, 0]
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
    ///
    /// Args:
    ///     logits: shape (vocab,).
    ///     position: absolute index of the token; by default the number of tokens so far.
    ///
    /// Raises:
    ///     ValueError, TypeError: as Chain.apply.
    ///
    /// Examples:
    ///     >>> kelvin.Sampler("temp=0").draw([0.0, 1.0]).token
    ///     1
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
        let draw =
            drawn(py, self.chain.bind(py).get().parts(), &mut self.inner, dice, position, xs)?;
        // Only a chain with penalties keeps tokens by itself, but positions count them.
        if self.inner.state().tokens().len() == before {
            let mut state = self.inner.state().clone();
            state.push(draw.id());
            self.inner.set_state(state);
        }
        Ok(draw)
    }

    /// The prompt and the tokens drawn since, as ids.
    #[getter]
    fn tokens(&self) -> Vec<u32> {
        self.inner.state().tokens().iter().map(|token| token.0).collect()
    }

    /// The chain.
    #[getter]
    fn chain(&self, py: Python<'_>) -> Py<Chain> {
        self.chain.clone_ref(py)
    }

    /// A second sampler in the same state.
    ///
    /// Examples:
    ///     >>> one = kelvin.Sampler("temp=5", seed=3)
    ///     >>> two = one.fork()
    ///     >>> one.draw([0.0, 0.1, 0.2]) == two.draw([0.0, 0.1, 0.2])
    ///     True
    fn fork(&self, py: Python<'_>) -> Sampler {
        Sampler { chain: self.chain.clone_ref(py), inner: self.inner.clone() }
    }
}
