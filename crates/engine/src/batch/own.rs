//! A step over sequences that the caller owns: beam search, a sampler of one's own.
//!
//! Requests draw their tokens here in the batch. A program that chooses tokens itself keeps its
//! sequences and asks for logits alone.

use super::Batch;
use crate::{
    Engine,
    transformer::{Append, Logits, ModelError, Sequence},
};

impl Batch {
    /// An empty sequence in the batch's format of keys and values. The page budget doesn't count
    /// it.
    pub fn sequence(&self, engine: &Engine) -> Sequence {
        engine.model.sequence(self.options.cache)
    }

    /// Appends tokens to sequences of the caller in one forward pass, and returns the logits that
    /// are wanted: rows of vocab_size numbers. The requests of the batch stand still meanwhile.
    ///
    /// # Errors
    /// If one of the sequences is of another model, gets no tokens, gets a token that the
    /// vocabulary doesn't have or becomes longer than the context, or if there is no memory. All
    /// sequences are as they were then.
    pub fn append(
        &mut self,
        engine: &Engine,
        appends: &mut [Append<'_>],
    ) -> Result<Logits<'_>, ModelError> {
        let logits = engine.model.forward(appends, &mut self.scratch)?;
        self.n_steps += 1;
        Ok(logits)
    }
}
