//! The tokenizer of llama.cpp's own tests (`test`): five bytes of a text are a token, whose number
//! follows from them, and a token's text is its number. Its random models of all architectures have
//! it. Texts don't come back.
//!
//! Source: `LLAMA_VOCAB_TYPE_TEST` of llama.cpp.

use super::vocabulary::Vocabulary;
use crate::TokenId;

/// Bytes of a token.
pub(super) const CHUNK: usize = 5;

/// Appends the tokens of a text that holds no special tokens.
pub(super) fn encode(vocabulary: &Vocabulary, text: &str, out: &mut Vec<TokenId>) {
    let n_tokens = vocabulary.len().max(1) as u64;
    out.extend(text.as_bytes().chunks(CHUNK).map(|chunk| {
        let hash = chunk.iter().fold(0_u64, |hash, &byte| hash * 31 + u64::from(byte));
        TokenId((hash % n_tokens) as u32)
    }));
}

/// A token's text: its number in base 16.
pub(super) fn text(id: u32) -> String {
    format!("{id:x}")
}
