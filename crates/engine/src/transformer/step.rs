//! The input and output of a step: tokens for the sequences of a batch, and rows of logits.

use super::Sequence;
use crate::TokenId;

/// Tokens to append to one sequence of a batch.
#[derive(Debug)]
pub struct Append<'a> {
    /// Where they go. A sequence occurs once in a batch.
    pub sequence: &'a mut Sequence,
    /// At least one.
    pub tokens: &'a [TokenId],
    /// Whose logits are wanted.
    pub want: Want,
}

/// After which of the appended tokens logits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// None: more of the prompt follows.
    None,
    /// The last one.
    Last,
    /// Each.
    All,
}

/// The logits that a step gave: rows of vocab_size numbers, in the order of the batch.
#[derive(Debug, Clone, Copy)]
pub struct Logits<'a> {
    pub(super) data: &'a [f32],
    pub(super) vocab_size: usize,
}

impl<'a> Logits<'a> {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.data.len() / self.vocab_size
    }

    /// Row `i`: one number for each token of the vocabulary.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.data[i * self.vocab_size..(i + 1) * self.vocab_size]
    }
}
