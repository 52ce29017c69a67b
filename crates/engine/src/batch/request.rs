//! A request: a prompt and its continuations, and the errors of invalid ones.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use kelvin_sampling::Sampler;

use super::score::{Scored, draw_scored};
use crate::{
    Engine, TokenId,
    generate::{Column, Constraint, Ends, FinishReason, Taken},
    transformer::{ModelError, Sequence},
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
    /// A function that gets each row of logits before the draw.
    pub tap: Option<Tap>,
}

impl Draft {
    /// A continuation with no constraint, no logprobs, no tap.
    pub fn new(sampler: Sampler) -> Draft {
        Draft { sampler, constraint: None, logprobs: None, tap: None }
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

/// A function that sees each row of logits (vocab_size raw numbers) with the position of the token
/// about to be drawn. It runs on a thread of the model's pool, in parallel with other texts'.
pub struct Tap(Box<See>);

type See = dyn FnMut(usize, &[f32]) + Send;

impl Tap {
    /// A tap of this function.
    pub fn new(see: impl FnMut(usize, &[f32]) + Send + 'static) -> Tap {
        Tap(Box::new(see))
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap(..)")
    }
}

/// A continuation that is being generated.
#[derive(Debug)]
pub(super) struct Text {
    /// Index of the draft in the request.
    pub(super) number: usize,
    pub(super) column: Column,
    logprobs: Option<Logprobs>,
    tap: Option<Tap>,
    /// Index of its row in the step's logits.
    pub(super) row: Option<usize>,
    /// Logprobs of the token just drawn.
    pub(super) scored: Option<Scored>,
    panicked: bool,
}

impl Text {
    /// A continuation of `prompt`, which `sequence` has read. Its first token is drawn from `row`.
    pub(super) fn new(
        engine: &Engine,
        (number, draft): (usize, Draft),
        sequence: Sequence,
        prompt: &[TokenId],
        ends: &Ends,
        bans: &Arc<[Vec<TokenId>]>,
        row: usize,
    ) -> Text {
        let Draft { sampler, constraint, logprobs, tap } = draft;
        let column = Column::new(sampler, sequence, prompt, &engine.tokenizer, ends);
        Text {
            number,
            column: column.banning(Arc::clone(bans)).under(constraint),
            logprobs,
            tap,
            row: Some(row),
            scored: None,
            panicked: false,
        }
    }

    /// Draws the next token. A panic, for example in a constraint, ends only this text.
    pub(super) fn draw(&mut self, logits: &[f32]) {
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            if let Some(Tap(see)) = &mut self.tap {
                see(self.column.pos(), logits);
            }
            match self.logprobs {
                Some(how) => self.scored = draw_scored(&mut self.column, logits, how),
                None => self.column.draw(logits),
            }
        }));
        self.panicked = drawn.is_err();
    }

    /// Appends the drawn token to the text.
    pub(super) fn take(&mut self, engine: &Engine, ends: &Ends) -> Option<Taken> {
        let column = &mut self.column;
        let taken = match self.panicked {
            true => None,
            false => catch_unwind(AssertUnwindSafe(|| column.take(&engine.tokenizer, ends))).ok(),
        };
        taken.unwrap_or_else(|| {
            column.abandon();
            let end = Some((String::new(), FinishReason::Panicked));
            Some(Taken { draw: None, text: String::new(), end })
        })
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
