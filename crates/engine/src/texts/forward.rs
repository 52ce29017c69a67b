//! What the methods need of a model: many texts that grow by one forward pass.
//!
//! A batch of the engine is one such model (`model`); tests have made-up ones.

use kelvin_sampling::{Draw, SampleError, Sampler, TokenId, Words};

/// A model that reads tokens of many texts in one pass.
pub trait Forward {
    /// A text that the model has read. A clone is a fork.
    type Text: Clone;
    /// Why it can't read.
    type Error;

    /// Appends the tokens of each read to its text, and draws each ask's token from the logits
    /// after the last of them.
    ///
    /// # Errors
    /// If the model refuses. Texts are undefined then.
    fn step(
        &mut self,
        reads: &mut [Read<'_, Self::Text>],
        asks: &mut [Ask<'_>],
    ) -> Result<(), Self::Error>;

    /// Takes tokens off a text until it has `len`, the prompt's counted. Does nothing if it has
    /// fewer.
    fn truncate(&self, text: &mut Self::Text, len: usize);

    /// Whether the last of a continuation's tokens ends it.
    fn ends(&self, tokens: &[TokenId]) -> bool;
}

/// Tokens for one text.
#[derive(Debug)]
pub struct Read<'a, T> {
    /// The text.
    pub text: &'a mut T,
    /// At least one token.
    pub next: &'a [TokenId],
}

/// A token to be drawn.
#[derive(Debug)]
pub struct Ask<'a> {
    /// From which read's logits.
    pub read: usize,
    sampler: &'a mut Sampler,
    words: Words,
    drawn: Option<Result<Draw, SampleError>>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(read: usize, sampler: &'a mut Sampler, words: Words) -> Ask<'a> {
        Ask { read, sampler, words, drawn: None }
    }

    /// Draws from logits: one number for each token of the vocabulary.
    pub fn draw(&mut self, logits: &[f32]) {
        self.drawn = Some(self.sampler.draw_with(logits, self.words));
    }

    /// What was drawn.
    pub(super) fn into_drawn(self) -> Result<Draw, SampleError> {
        self.drawn.expect("a model draws for each ask")
    }
}

/// A prompt that was read but for its last token, from which continuations begin.
#[derive(Debug, Clone)]
pub struct Start<T> {
    /// The text without its last token.
    pub text: T,
    /// All tokens of the prompt, at least one.
    pub prompt: Vec<TokenId>,
}

impl<T> Start<T> {
    /// The token that is still to be read.
    pub(super) fn last(&self) -> TokenId {
        *self.prompt.last().expect("a prompt has a token")
    }
}
