//! Finds the token sequences that write a text: the meaning of a textual breaker in one vocabulary.

use std::sync::Arc;

use kelvin_sampling::{Chain, TokenTexts};

use super::Tokenizer;
use crate::TokenId;

/// Tokens of a sequence after its first one; a longer text is cut there.
const MAX_TAIL: usize = 20;

impl Tokenizer {
    /// A chain with the tokens of its breakers that are texts; it prints as before, and others stay
    /// as they are.
    pub fn bind(&self, chain: &Chain) -> Chain {
        chain.with_vocabulary(&mut |text| self.sequences_with(text))
    }

    /// The bytes of all tokens, for the places of a schedule.
    pub(crate) fn token_texts(&self) -> Arc<TokenTexts> {
        let make = || {
            let ids = (0..self.vocab_size() as u32).map(TokenId);
            let each = |id| {
                let bytes = self.bytes(id, true);
                (bytes, !bytes.is_empty() && self.bytes(id, false).is_empty())
            };
            Arc::new(TokenTexts::new(ids.map(each)))
        };
        Arc::clone(self.texts.get_or_init(make))
    }

    /// Every token that has `text` in it, alone; and every token that ends in the middle of `text`,
    /// with the tokens of the rest.
    ///
    /// An empty text is written by nothing. Source: llama.cpp, which reads `dry_sequence_breakers`
    /// so.
    pub fn sequences_with(&self, text: &str) -> Vec<Vec<u32>> {
        let mut sequences = Vec::new();
        if text.is_empty() {
            return sequences;
        }
        let whole = text.as_bytes();
        // The rest of the text behind each place where it can be cut, as tokens.
        let cuts: Vec<(usize, Vec<u32>)> = text
            .char_indices()
            .skip(1)
            .map(|(at, _)| {
                let rest = self.encode(&text[at..], false, false);
                (at, rest.iter().take(MAX_TAIL).map(|token| token.0).collect())
            })
            .collect();
        for id in 0..self.vocab_size() as u32 {
            let bytes = self.bytes(TokenId(id), true);
            if bytes.windows(whole.len()).any(|window| window == whole) {
                sequences.push(vec![id]);
                continue;
            }
            let ending = cuts.iter().filter(|(at, _)| bytes.ends_with(&whole[..*at]));
            sequences.extend(ending.map(|(_, rest)| [&[id][..], rest].concat()));
        }
        sequences
    }
}
