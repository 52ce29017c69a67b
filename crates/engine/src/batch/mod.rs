//! Continuous batching: runs the texts of many requests together and reports their tokens.
//!
//! A [`Batch`] is the scheduler. It owns the sequences of all running requests and one prefix
//! cache. The caller drives it:
//!
//! 1. **Admission** (`admit`). [`Batch::place`] looks up the longest known beginning of a prompt in
//!    the prefix cache. It then reserves pages for the longest text that the request can become. If
//!    the page budget is too small, pages of the prefix cache are evicted, least recently used
//!    (LRU) first. So no text fails halfway for want of memory. [`Batch::start`] adds the request.
//! 2. **Step** (`step`). [`Batch::step`] runs one forward pass over one token of every text in
//!    decode, the tokens that are guessed to follow it (`guess`), and one chunk of the prompts in
//!    prefill (`prefill`). Then it draws a token for every text (`text`), and further ones where
//!    the guesses were right, on all threads. Texts that are equal so far are read as one
//!    (`branch`). A [`PrefillPolicy`] says which prompts share the chunk: that is the
//!    hook for fairness.
//! 3. **Events** (`events`). An [`Observer`] is called with everything a step gave. A request
//!    leaves the batch when all of its texts have ended, when the observer breaks, or by
//!    [`Batch::cancel`].
//!
//! All texts of a request share its prompt's pages. Each is a fork, so its first write to a page
//! that is shared copies that page (copy-on-write). Pages enter the prefix cache as soon as they
//! are full. A prompt that another request is reading at the moment is taken over page by page.
//!
//! Nothing here changes what a text says: logits have the same bits in any batch and chunk, and a
//! draw depends on its seed, sample and position alone.
//!
//! [`generate`] (one request to its end), [`next_logits`] (a prompt's next logits),
//! [`next_logits_of_each`] (those of several prompts) and [`score_tokens`] (logprobs of a given
//! text) are the usual ways to drive a batch.
//! [`Batch::append`] is for programs that choose the tokens of their sequences themselves.

mod admit;
mod branch;
mod events;
mod guess;
mod own;
mod prefill;
mod request;
mod run;
mod score;
mod step;
mod text;

pub use admit::{Budget, Place, check_prompt, pages};
pub use events::{Observer, PromptRead, Step};
pub use guess::{DraftModel, DraftModelError, GuessCounts, GuessKind, Guesses, KindCounts};
pub use prefill::{Chunks, Prefill, PrefillPolicy, first_come};
pub use request::{Draft, GenerateError, Logprobs, PromptLogprobs, Request, RequestId, Tap};
pub use run::{Continuation, ScoreError, generate, next_logits, next_logits_of_each, score_tokens};
pub use score::{Scored, score};

use std::sync::Arc;

use crate::{
    Engine, TokenId,
    generate::Ends,
    transformer::{CacheFormat, Prefixes, Scratch, Sequence},
};
use branch::Decode;
use guess::Drafter;

/// How a batch runs. Only `cache` can change what texts say.
#[derive(Debug, Clone, Copy)]
pub struct BatchOptions {
    /// How keys and values are stored.
    pub cache: CacheFormat,
    /// Limits of running texts and pages.
    pub budget: Budget,
    /// How many prompt tokens a step reads.
    pub chunks: Chunks,
    /// Which prompts share a step's chunk.
    pub policy: PrefillPolicy,
    /// Which tokens a step reads before they are drawn.
    pub guesses: Guesses,
}

impl BatchOptions {
    /// Keys and values as f16, the usual chunks, prompts in their order of arrival,
    /// [`Guesses::Auto`].
    pub fn new(budget: Budget) -> BatchOptions {
        BatchOptions {
            cache: CacheFormat::default(),
            budget,
            chunks: Chunks::default(),
            policy: first_come,
            guesses: Guesses::default(),
        }
    }
}

/// The scheduler: running requests of one model and their prefix cache.
///
/// Its methods take the engine, always the one that it was made for.
#[derive(Debug)]
pub struct Batch {
    options: BatchOptions,
    /// Running requests in the order of their start.
    running: Vec<Running>,
    prefixes: Prefixes,
    /// Room that is lent to sequences of the caller.
    lent: Budget,
    scratch: Scratch,
    next_id: u64,
    n_steps: u64,
    cached_tokens: u64,
    counts: GuessCounts,
    drafter: Option<Drafter>,
}

/// A running request.
#[derive(Debug)]
struct Running {
    id: RequestId,
    prompt: Vec<TokenId>,
    ends: Ends,
    bans: Arc<[Vec<TokenId>]>,
    prompt_logprobs: Option<PromptLogprobs>,
    /// Number of its texts at the start, at least 1.
    n_texts: usize,
    /// Prompt tokens that were found in the prefix cache.
    cached: usize,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Prefill.
    Prefill(prefill::Reading),
    /// Decode: the texts that haven't ended.
    Decode(Decode),
}

impl Batch {
    /// An empty batch for texts of `engine`.
    pub fn new(engine: &Engine, options: BatchOptions) -> Batch {
        Batch {
            options,
            running: Vec::new(),
            prefixes: prefixes(engine, &options),
            lent: Budget { n_texts: 0, n_pages: 0 },
            scratch: Scratch::default(),
            next_id: 0,
            n_steps: 0,
            cached_tokens: 0,
            counts: GuessCounts::default(),
            drafter: None,
        }
    }

    /// The batch, but a smaller model guesses as well, in the way of [`Guesses::Auto`]. Its keys
    /// and values take at most as many pages of its own as the budget has.
    pub fn drafting_with(mut self, model: DraftModel) -> Batch {
        self.options.guesses = Guesses::Auto;
        let BatchOptions { cache, budget, .. } = self.options;
        self.drafter = Some(Drafter::new(model, cache, budget.n_pages));
        self
    }

    /// The options of the batch.
    pub fn options(&self) -> &BatchOptions {
        &self.options
    }

    /// Whether no request runs.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Number of running requests.
    pub fn n_running(&self) -> usize {
        self.running.len()
    }

    /// Number of running texts, those that room is lent to included. During prefill all texts of a
    /// request count. A request counts at least 1.
    pub fn n_texts(&self) -> usize {
        self.running.iter().map(Running::n_open).sum::<usize>() + self.lent.n_texts
    }

    /// Number of forward passes so far.
    pub fn n_steps(&self) -> u64 {
        self.n_steps
    }

    /// What came of guesses so far.
    pub fn guess_counts(&self) -> GuessCounts {
        self.counts
    }

    /// Prompt tokens that were found in the prefix cache so far.
    pub fn cached_tokens(&self) -> u64 {
        self.cached_tokens
    }

    /// Pages that the prefix cache holds, those shared with running texts included.
    pub fn n_cached_pages(&self) -> usize {
        self.prefixes.n_pages()
    }

    /// Number of pages that running requests may still take, and of those that are lent.
    pub fn n_promised_pages(&self) -> usize {
        self.running.iter().map(Running::pages_to_come).sum::<usize>() + self.lent.n_pages
    }

    /// Removes a request. No more events of it follow. Its full pages stay in the prefix cache.
    pub fn cancel(&mut self, id: RequestId) {
        self.running.retain(|one| one.id != id);
    }

    /// Removes all requests and the buffers of a step, which may be inconsistent after a panic. The
    /// prefix cache stays, since no step writes to its pages.
    pub fn clear(&mut self) {
        self.running.clear();
        self.scratch = Scratch::default();
        self.drafter.iter_mut().for_each(Drafter::clear);
    }

    /// Empties the prefix cache.
    pub fn forget_prefixes(&mut self, engine: &Engine) {
        self.prefixes = prefixes(engine, &self.options);
        self.drafter.iter_mut().for_each(Drafter::forget_prefixes);
    }
}

/// An empty prefix cache.
fn prefixes(engine: &Engine, options: &BatchOptions) -> Prefixes {
    let empty = engine.model.sequence(options.cache);
    Prefixes::new(empty, options.budget.n_kept_states())
}

impl Running {
    fn n_open(&self) -> usize {
        match &self.phase {
            Phase::Prefill(_) => self.n_texts,
            Phase::Decode(decode) => decode.texts.len().max(1),
        }
    }

    /// Its texts, if it is in decode.
    fn decode(&mut self) -> Option<&mut Decode> {
        match &mut self.phase {
            Phase::Prefill(_) => None,
            Phase::Decode(decode) => Some(decode),
        }
    }

    /// The most tokens that each of its texts gets.
    fn max_new(&self) -> usize {
        self.ends.max_tokens.min(self.ends.limit.saturating_sub(self.prompt.len()))
    }

    /// Number of pages that the request may still take.
    fn pages_to_come(&self) -> usize {
        let (len, max_new) = (self.prompt.len(), self.max_new());
        match &self.phase {
            Phase::Prefill(reading) => {
                reading.sequence.pages_until(len)
                    + admit::pages_after_prompt(len, reading.drafts.len(), max_new)
            }
            Phase::Decode(decode) => decode.pages_until(len + max_new),
        }
    }

    /// The sequences of its texts in decode.
    fn sequences(&self) -> impl Iterator<Item = &Sequence> {
        let branches = match &self.phase {
            Phase::Prefill(_) => &[],
            Phase::Decode(decode) => &decode.branches[..],
        };
        branches.iter().map(|branch| &branch.sequence)
    }
}
