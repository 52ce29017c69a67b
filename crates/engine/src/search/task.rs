//! What is searched for: a prompt's continuations, how a token's probability is read, what ends a
//! text, and the errors of a search.

use kelvin_sampling::{Chain, SampleError, State, Words};

use super::held::Held;
use crate::{TokenId, transformer::ModelError};

/// Most beams of a search.
pub const MAX_BEAMS: usize = 256;
/// Most texts that are drawn and ranked.
pub const MAX_TEXTS: usize = 512;

/// Whether a text with these tokens after the prompt ends with the last of them.
pub type Stops<'a> = dyn Fn(&[TokenId]) -> bool + Sync + 'a;

/// The texts that a search looks among.
#[derive(Clone, Copy, Default)]
pub struct Task<'a> {
    /// The prompt, at least one token.
    pub prompt: &'a [TokenId],
    /// Stages before probabilities are read; `None` is the model's own distribution. None of them
    /// may be random or learn.
    pub chain: Option<&'a Chain>,
    /// Tokens that end a text. Each counts for its length and its probability.
    pub end_tokens: &'a [TokenId],
    /// Most tokens of a text, its end token included; at least 1.
    pub max_tokens: usize,
    /// Whether a text ends with these tokens for another reason, such as a stop string.
    pub stops: Option<&'a Stops<'a>>,
    /// The form that texts keep to, at its beginning. A mask comes before the chain, and a text
    /// that is complete ends. Where a form may end, its tokens that end a text are `end_tokens`.
    pub form: Option<&'a Held>,
}

/// Why a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this token, which isn't among the text's tokens.
    Token(TokenId),
    /// By [`Task::stops`].
    Stop,
    /// The form is complete and allows no further token.
    Complete,
    /// It has all tokens that it may have.
    Length,
}

/// Why a search fails or is refused.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The settings can't be.
    #[error("{0}")]
    Settings(String),
    /// A setting that can't be, or that is another method's.
    #[error("{setting} {problem}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A stage of the chain is random or learns.
    #[error(
        "the stage {stage} {why}, so a search has no one distribution to read: leave it out, or \
         draw texts (best-of, mbr)"
    )]
    Stage {
        /// Its name.
        stage: &'static str,
        /// Why it can't be.
        why: &'static str,
    },
    /// The forward pass failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The logits have no distribution, or the chain left nothing.
    #[error(transparent)]
    Logits(#[from] SampleError),
    /// The form failed, at its mask or at a token; a message for the user.
    #[error("the form fails: {0}")]
    Form(String),
    /// The caller broke the search off.
    #[error("the search was broken off")]
    Cancelled,
}

impl Task<'_> {
    /// Checks what doesn't depend on the kind of search.
    ///
    /// # Errors
    /// If no token may come, or if a stage of the chain has no place in a search.
    pub fn check(&self) -> Result<(), SearchError> {
        if self.max_tokens == 0 {
            let words = "a text has at least one token, but 0 were asked for";
            return Err(SearchError::Settings(words.to_string()));
        }
        for stage in self.chain.iter().flat_map(|chain| chain.stages()) {
            let info = stage.info();
            let why = match (info.traits.random, info.traits.learns) {
                (true, _) => "is random",
                (_, true) => "learns from what is drawn",
                _ => continue,
            };
            return Err(SearchError::Stage { stage: info.name, why });
        }
        Ok(())
    }

    /// The place within the form after one more token, if there is a form and the token doesn't end
    /// the text. `held` is that of the text before it.
    pub(super) fn advance(
        &self,
        held: Option<&Held>,
        token: TokenId,
    ) -> Result<Option<Held>, SearchError> {
        let held = held.filter(|_| !self.end_tokens.contains(&token));
        held.map(|held| held.after(token)).transpose().map_err(SearchError::Form)
    }

    /// Whether and why a text of these tokens ends with the last of them. `held` is its place
    /// within the form.
    pub(super) fn end(&self, tokens: &[TokenId], held: Option<&Held>) -> Option<End> {
        let last = *tokens.last()?;
        if self.end_tokens.contains(&last) {
            Some(End::Token(last))
        } else if self.stops.is_some_and(|stops| stops(tokens)) {
            Some(End::Stop)
        } else if held.is_some_and(Held::is_complete) {
            Some(End::Complete)
        } else if tokens.len() >= self.max_tokens {
            Some(End::Length)
        } else {
            None
        }
    }

    /// What the chain's stages see of a text with these tokens after the prompt.
    pub(super) fn state(&self, tokens: &[TokenId]) -> State {
        match self.chain {
            Some(chain) if chain.looks_back() => {
                let all = [self.prompt, tokens].concat();
                State::restore(all, self.prompt.len(), None)
            }
            _ => State::default(),
        }
    }

    /// Random words of a chain without random stages.
    pub(super) const WORDS: Words = Words { draw: 0, stages: [0; Words::N_STAGES] };
}
