//! The interface of structured output: a constraint masks tokens before each draw and is told the
//! drawn token.

use std::fmt;

use crate::TokenId;

/// Structured output for one text: which tokens may come next. The answer may depend on the tokens
/// taken so far only.
pub trait Constraint: fmt::Debug + Send {
    /// A bit mask of allowed tokens, lowest id in the lowest bit. Tokens that end a turn are
    /// allowed where the text may end.
    ///
    /// # Errors
    /// If the mask can't be computed; a message for the user.
    fn allowed(&mut self) -> Result<&[u32], String>;

    /// Advances by a token of the text.
    ///
    /// # Errors
    /// If the text can't continue after this token; a message for the user.
    fn take(&mut self, token: TokenId) -> Result<(), String>;

    /// Whether the text is complete and nothing can follow.
    fn is_complete(&self) -> bool;

    /// Bytes that the text must go on with, as far as that is easily told: a hint, which changes no
    /// text. They may be spelled in any tokens.
    fn forced(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Whether texts under it are JSON, so that a schedule may tell strings from structure.
    fn is_json(&self) -> bool {
        false
    }

    /// An independent copy, for a fork of the text.
    fn fork(&self) -> Box<dyn Constraint>;
}

/// The tokens that would complete a banned sequence: last tokens of those `sequences` whose other
/// tokens are the end of `written`.
pub(super) fn completing<'a>(
    sequences: &'a [Vec<TokenId>],
    written: &'a [TokenId],
) -> impl Iterator<Item = TokenId> + 'a {
    sequences.iter().filter_map(|sequence| {
        let (last, head) = sequence.split_last()?;
        written.ends_with(head).then_some(*last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_completed_by_its_last_token_after_the_others() {
        let ids = |ids: &[u32]| ids.iter().map(|&id| TokenId(id)).collect::<Vec<_>>();
        let sequences = [ids(&[7]), ids(&[1, 2]), ids(&[1, 1, 3]), ids(&[])];
        let after = |written: &[u32]| {
            completing(&sequences, &ids(written)).map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(after(&[]), [7]);
        assert_eq!(after(&[1]), [7, 2]);
        assert_eq!(after(&[1, 1]), [7, 2, 3]);
        assert_eq!(after(&[1, 1, 5]), [7]);
    }
}
