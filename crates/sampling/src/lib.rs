//! From logits to a token.

/// The index of a token in a model's vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u32);

impl TokenId {
    /// The id as an index into a vector over the vocabulary.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
