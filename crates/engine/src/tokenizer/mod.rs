//! Text in, token ids out, and back, exactly as the model file's vocabulary defines it.

use crate::{TokenId, gguf::{GgufError, Metadata}};

/// A tokenizer built from a model file's metadata.
#[derive(Debug)]
pub struct Tokenizer {}

impl Tokenizer {
    /// Builds the tokenizer that `tokenizer.ggml.model` and `tokenizer.ggml.pre` name; refuses unknown ones.
    pub fn from_metadata(_metadata: &Metadata) -> Result<Tokenizer, TokenizerError> {
        todo!()
    }
    /// How many tokens there are.
    pub fn vocab_size(&self) -> usize {
        todo!()
    }
    /// Text to ids. `add_special`: the BOS/EOS that the file says are added. `parse_special`: control tokens
    /// written in the text become themselves rather than plain characters.
    pub fn encode(&self, _text: &str, _add_special: bool, _parse_special: bool) -> Vec<TokenId> {
        todo!()
    }
    /// The bytes that a token stands for when text is decoded; control tokens are empty unless `special`.
    pub fn bytes(&self, _token: TokenId, _special: bool) -> &[u8] {
        todo!()
    }
    /// Ids to text, invalid UTF-8 replaced.
    pub fn decode(&self, _tokens: &[TokenId], _special: bool) -> String {
        todo!()
    }
    /// The vocabulary's own spelling of a token (e.g. `Ġthe`, `<0x0A>`).
    pub fn piece(&self, _token: TokenId) -> &str {
        todo!()
    }
    /// The beginning-of-text token, if the file has one.
    pub fn bos(&self) -> Option<TokenId> {
        todo!()
    }
    /// The end-of-text token, if the file has one.
    pub fn eos(&self) -> Option<TokenId> {
        todo!()
    }
    /// Every token that ends a turn: EOS, EOT, EOM and the known end-of-turn control tokens of the vocabulary.
    pub fn end_tokens(&self) -> &[TokenId] {
        todo!()
    }
}

/// Decodes a stream of tokens without ever emitting half a UTF-8 character.
#[derive(Debug, Default, Clone)]
pub struct TextStream {
    pending: Vec<u8>,
}

impl TextStream {
    /// Takes a token's bytes and returns the text that is now complete (invalid bytes as U+FFFD).
    pub fn push(&mut self, _bytes: &[u8]) -> String {
        todo!()
    }
    /// The end: whatever is pending, invalid bytes as U+FFFD.
    pub fn finish(&mut self) -> String {
        let _ = &self.pending;
        todo!()
    }
}

/// Why a vocabulary can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The metadata has a key of the wrong type.
    #[error(transparent)]
    Metadata(#[from] GgufError),
}
