//! A request: a prompt and its continuations, and the errors of invalid ones.

use std::{fmt, sync::Arc};

use kelvin_sampling::{Draw, Sampler};

use crate::{
    TokenId,
    generate::{Constraint, Ends, Stages},
    transformer::ModelError,
};

/// Names a request of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(super) u64);

/// A prompt and its continuations.
#[derive(Debug)]
pub struct Request {
    /// The prompt, at least one token.
    pub prompt: Vec<TokenId>,
    /// One draft per continuation. Empty if only the logits after the prompt or the prompt's
    /// logprobs are needed.
    pub drafts: Vec<Draft>,
    /// End conditions of each continuation.
    pub ends: Ends,
    /// Banned sequences of tokens.
    pub bans: Arc<[Vec<TokenId>]>,
    /// Logprobs of the prompt's tokens, if requested.
    pub prompt_logprobs: Option<PromptLogprobs>,
}

impl Request {
    /// One continuation for each sampler, of up to 256 tokens, as far as the model's context goes.
    pub fn new(prompt: Vec<TokenId>, samplers: Vec<Sampler>) -> Request {
        Request {
            prompt,
            drafts: samplers.into_iter().map(Draft::new).collect(),
            ends: Ends { max_tokens: 256, limit: usize::MAX, ..Ends::default() },
            bans: Arc::new([]),
            prompt_logprobs: None,
        }
    }

    /// Number of texts that the request counts as: at least 1.
    pub fn n_texts(&self) -> usize {
        self.drafts.len().max(1)
    }
}

/// A continuation before it starts.
#[derive(Debug)]
pub struct Draft {
    /// The sampler. It gets the prompt's tokens when the continuation starts.
    pub sampler: Sampler,
    /// Structured output. A text that is complete under it ends, whatever [`Ends`] says.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Logprobs of each drawn token, if requested.
    pub logprobs: Option<Logprobs>,
    /// A function that gets each row of logits, and what was drawn from it.
    pub tap: Option<Tap>,
    /// Stages before the sampler's own. Logprobs are of the sampler's stages alone.
    pub stages: Option<Box<dyn Stages>>,
}

impl Draft {
    /// A continuation with no constraint, no logprobs, no tap, no stages of the caller.
    pub fn new(sampler: Sampler) -> Draft {
        Draft { sampler, constraint: None, logprobs: None, tap: None, stages: None }
    }
}

/// Options of logprobs for drawn tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logprobs {
    /// Number of most likely tokens to report in addition.
    pub n_top: usize,
    /// The distribution: after this many stages of the chain; `None` is the model's own.
    pub n_stages: Option<usize>,
}

/// Options of logprobs for a prompt's tokens, under the model's own distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptLogprobs {
    /// Position of the first token that is scored; 1 at least, since nothing predicts token 0.
    /// Tokens before it may come from the prefix cache.
    pub from: usize,
    /// Number of most likely tokens to report in addition.
    pub n_top: usize,
}

/// A function that sees each row of logits (vocab_size raw numbers), with the position of the token
/// drawn from it and the draw: `None` if nothing could be drawn. A token that ends the text is seen
/// too. It runs on a thread of the model's pool, in parallel with other texts'.
pub struct Tap(pub(super) Box<See>);

pub(super) type See = dyn FnMut(usize, &[f32], Option<&Draw>) + Send;

impl Tap {
    /// A tap of this function.
    pub fn new(see: impl FnMut(usize, &[f32], Option<&Draw>) + Send + 'static) -> Tap {
        Tap(Box::new(see))
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap(..)")
    }
}

/// Why a request is refused or fails.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The prompt is empty.
    #[error("the prompt has no tokens, so there is nothing to continue")]
    EmptyPrompt,
    /// The prompt leaves no room for a continuation in the context.
    #[error(
        "the prompt has {len} tokens, but the context has room for {limit}, at least one of them \
         new"
    )]
    PromptTooLong {
        /// Tokens of the prompt.
        len: usize,
        /// Tokens of the context.
        limit: usize,
    },
    /// A chain has a place in JSON, and nothing makes the text JSON.
    #[error(
        "`{place}` of the schedule is a place in JSON, but no JSON schema or format makes the text \
         JSON"
    )]
    NotJson {
        /// The place.
        place: String,
    },
    /// The batch has too few free pages or texts for the request.
    #[error(
        "the request may need {n_pages} pages of keys and values for {n_texts} texts, \
         but the batch has no room for that beside what runs"
    )]
    NoRoom {
        /// Pages that the request may need.
        n_pages: usize,
        /// Number of its texts.
        n_texts: usize,
    },
    /// The forward pass failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}
