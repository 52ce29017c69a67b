//! What is asked of a batch: a prompt and its continuations, and why that may be refused.

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

/// One prompt and what to make of it.
#[derive(Debug)]
pub struct Request {
    /// At least one token.
    pub prompt: Vec<TokenId>,
    /// One for each continuation. None if only the logits after the prompt, or its logprobs, are
    /// wanted.
    pub drafts: Vec<Draft>,
    /// What ends each continuation.
    pub ends: Ends,
    /// Sequences of tokens that no continuation generates.
    pub bans: Arc<[Vec<TokenId>]>,
    /// Whether, and how, the prompt's own tokens are scored.
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

    /// Texts that it counts for: one at least.
    pub fn n_texts(&self) -> usize {
        self.drafts.len().max(1)
    }
}

/// A continuation before it starts.
#[derive(Debug)]
pub struct Draft {
    /// How its tokens are drawn. It is told of the prompt when the continuation starts.
    pub sampler: Sampler,
    /// What its text is held to. A text that is complete ends, whatever [`Ends`] says.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Whether, and how, each drawn token is scored.
    pub logprobs: Option<Logprobs>,
    /// Sees each row of logits before the draw.
    pub tap: Option<Tap>,
}

impl Draft {
    /// A continuation with no constraint, no logprobs, no tap.
    pub fn new(sampler: Sampler) -> Draft {
        Draft { sampler, constraint: None, logprobs: None, tap: None }
    }
}

/// How drawn tokens are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logprobs {
    /// How many of the likeliest tokens are scored beside each.
    pub n_top: usize,
    /// The distribution: after so many stages of the chain, or the model's own if none.
    pub n_stages: Option<usize>,
}

/// How a prompt's tokens are scored, by the model's own distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptLogprobs {
    /// Position of the first token that is scored; 1 at least, since nothing predicts token 0.
    /// Tokens before it may come from the prefix cache.
    pub from: usize,
    /// How many of the likeliest tokens are scored beside each.
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
    /// Its place among the request's drafts.
    pub(super) number: usize,
    pub(super) column: Column,
    logprobs: Option<Logprobs>,
    tap: Option<Tap>,
    /// Which of the step's logits are its own.
    pub(super) row: Option<usize>,
    /// The score of the token just drawn.
    pub(super) scored: Option<Scored>,
    panicked: bool,
}

impl Text {
    /// A continuation of `prompt`, which `sequence` holds, whose first token is drawn from `row`.
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

    /// Draws its next token. A panic (in a constraint, say) ends this text alone.
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

    /// Appends what was drawn to the text.
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

/// Why a request is refused, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// There's nothing to continue.
    #[error("the prompt has no tokens, so there is nothing to continue")]
    EmptyPrompt,
    /// The prompt leaves no room.
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
    /// The request doesn't fit into the batch beside what runs.
    #[error(
        "the request may need {n_pages} pages of keys and values for {n_texts} texts, \
         but the batch has no room for that beside what runs"
    )]
    NoRoom {
        /// Pages that it may need.
        n_pages: usize,
        /// Texts that it is.
        n_texts: usize,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
}
