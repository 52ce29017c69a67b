//! The interface of structured output: a constraint masks tokens before each draw and is told the
//! drawn token.

use std::fmt;

use crate::TokenId;

/// A rule for one text, which it follows token by token. What it allows may depend on nothing but
/// the tokens taken so far.
pub trait Constraint: fmt::Debug + Send {
    /// One bit for each token that may come next, the lowest first; tokens that end a turn are
    /// among them where the text may end.
    ///
    /// # Errors
    /// If that can't be found out, in words for the user.
    fn allowed(&mut self) -> Result<&[u32], String>;

    /// A token was taken.
    ///
    /// # Errors
    /// If the text can't go on from here, in words for the user.
    fn take(&mut self, token: TokenId) -> Result<(), String>;

    /// Whether the text is what it must be, and nothing can follow.
    fn is_complete(&self) -> bool;

    /// A copy for another text that begins with the tokens taken so far, independent of this one.
    fn fork(&self) -> Box<dyn Constraint>;
}

/// The last tokens of those of `sequences` whose other tokens `written` ends with: what would
/// complete one of them.
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
