//! What a model has for texts that somebody else chooses: scores and sequences.

use std::sync::Arc;

use numpy::PyArray2;
use pyo3::prelude::*;

use crate::{
    model::Model,
    prompt,
    sequence::{self, Sequence, scores},
    text::Score,
};

#[pymethods]
impl Model {
    /// How expected each token of a text is under the model's own distribution (T = 1).
    ///
    /// Args:
    ///     text: a text, or token ids, of at least two tokens.
    ///
    /// Returns:
    ///     Score.
    ///
    /// Raises:
    ///     ValueError: fewer tokens, or more than the context.
    ///
    /// Source: Jelinek et al. 1977 for perplexity.
    ///
    /// Examples:
    ///     >>> score = model.score("Hi")
    ///     >>> bool(np.isclose(np.exp(-score.logprobs.mean()), score.perplexity))
    ///     True
    fn score(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Score> {
        let ids = prompt::tokens(self.shared().engine(), text)?;
        let scores = scores(py, Sequence::new(py, Arc::clone(self.shared()))?, &ids)?;
        Ok(Score::new(py, self.shared().engine(), &ids, &scores))
    }

    /// A sequence that the caller appends to: for beam search, or a sampler of one's own.
    ///
    /// Args:
    ///     prompt: a text, or token ids; without it the sequence is empty.
    ///
    /// Returns:
    ///     Sequence.
    ///
    /// Raises:
    ///     ValueError: as logits.
    ///     RuntimeError: the process was forked.
    ///
    /// Examples:
    ///     >>> len(model.sequence("Hi"))
    ///     4
    #[pyo3(signature = (prompt = None))]
    fn sequence(&self, py: Python<'_>, prompt: Option<&Bound<'_, PyAny>>) -> PyResult<Sequence> {
        let mut sequence = Sequence::new(py, Arc::clone(self.shared()))?;
        if let Some(prompt) = prompt {
            let ids = prompt::tokens(self.shared().engine(), prompt)?;
            sequence.extend(py, &ids)?;
        }
        Ok(sequence)
    }

    /// Appends tokens to several sequences in one forward pass, which reads the weights once.
    ///
    /// Args:
    ///     sequences: of this model, none twice.
    ///     tokens: for each sequence an id, a list of ids or a text.
    ///
    /// Returns:
    ///     f32 logits after each one's last token, shape (sequences, vocab).
    ///
    /// Raises:
    ///     ValueError: unequal numbers, a sequence of another model or one that stands there twice.
    ///     RuntimeError: a closed sequence. All sequences are as they were then.
    ///
    /// Examples:
    ///     >>> one = model.sequence("Hi")
    ///     >>> two = one.fork()
    ///     >>> model.append([one, two], [5, 6]).shape
    ///     (2, 101)
    fn append<'py>(
        &self,
        py: Python<'py>,
        sequences: Vec<Bound<'py, Sequence>>,
        tokens: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        sequence::append_to_all(py, self.shared(), &sequences, tokens)
    }
}
