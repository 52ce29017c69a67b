//! The tokens of labels: which tokens of a vocabulary say a text and nothing else.

use crate::{TokenId, tokenizer::Tokenizer};

/// The tokens of one vocabulary by their text, for every question about its model.
#[derive(Debug, Clone)]
pub struct Labels {
    /// The tokens with a text, sorted by it and then by id.
    sorted: Vec<TokenId>,
}

impl Labels {
    /// Sorts the vocabulary: n log n in its size.
    pub fn new(tokenizer: &Tokenizer) -> Labels {
        let ids = (0..tokenizer.vocab_size() as u32).map(TokenId);
        let mut sorted: Vec<TokenId> =
            ids.filter(|&token| !own(tokenizer, token).is_empty()).collect();
        sorted.sort_by_key(|&token| (own(tokenizer, token), token.0));
        Labels { sorted }
    }

    /// The tokens that are the text, and those that are the text after a space: many vocabularies
    /// have both. In ascending order; none if no token says it.
    pub(super) fn of(&self, tokenizer: &Tokenizer, text: &str) -> &[TokenId] {
        let from = self.sorted.partition_point(|&token| own(tokenizer, token) < text.as_bytes());
        let rest = &self.sorted[from..];
        &rest[..rest.partition_point(|&token| own(tokenizer, token) == text.as_bytes())]
    }
}

/// The bytes of a token, without a space at their start.
fn own(tokenizer: &Tokenizer, token: TokenId) -> &[u8] {
    let bytes = tokenizer.bytes(token, false);
    bytes.strip_prefix(b" ").unwrap_or(bytes)
}

/// Letters and pairs of letters, in the order in which options get them.
pub(super) fn letters() -> impl Iterator<Item = String> {
    let one = || 'A'..='Z';
    let pairs = one().flat_map(move |a| one().map(move |b| format!("{a}{b}")));
    one().map(String::from).chain(pairs)
}
