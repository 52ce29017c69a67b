//! Where the continuations of a prompt begin.

use kelvin_sampling::TokenId;

use crate::{rows::Rows, transformer::ModelError};

/// A prompt that was read but for its last token, from which continuations begin.
#[derive(Debug, Clone)]
pub struct Start<T> {
    /// The text without its last token.
    pub(super) text: T,
    /// All tokens of the prompt, at least one.
    pub(super) prompt: Vec<TokenId>,
}

impl<T: Clone> Start<T> {
    /// Reads a prompt of at least one token.
    ///
    /// # Errors
    /// If the model refuses it.
    pub fn read<R: Rows<Text = T>>(
        rows: &mut R,
        prompt: Vec<TokenId>,
    ) -> Result<Start<T>, ModelError> {
        Ok(Start { text: rows.start(&prompt)?, prompt })
    }

    /// A prompt of at least one token, of which `text` has all but the last.
    pub fn at(text: T, prompt: Vec<TokenId>) -> Start<T> {
        Start { text, prompt }
    }

    /// The token that is still to be read.
    pub(super) fn last(&self) -> TokenId {
        *self.prompt.last().expect("a prompt has a token")
    }
}
