//! Chunked prefill: which prompts the next step reads, and how much of each.
//!
//! A step reads at most one chunk of prompt tokens, a smaller one while other texts are in decode,
//! so a long prompt delays them by one chunk at most. A prompt that needs the page that another one
//! is reading waits and takes the page over from the prefix cache.

use kelvin_sampling::SampleError;

use super::{Batch, Draft, Phase, PromptLogprobs, RequestId, Running, score::Scored};
use crate::transformer::{PAGE, STATE_EVERY, Sequence};

/// How many prompt tokens a step reads, all prompts together; at least 1 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Chunk size while no text is in decode.
    pub alone: usize,
    /// Chunk size while texts in decode wait for the step.
    pub beside_decode: usize,
    /// Chunk size of scored prompts, for which a step keeps a row of logits per token.
    pub scored: usize,
}

impl Default for Chunks {
    fn default() -> Chunks {
        Chunks { alone: 256, beside_decode: 64, scored: 64 }
    }
}

/// A prompt in prefill, as a [`PrefillPolicy`] sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefill {
    /// The request.
    pub request: RequestId,
    /// Number of its tokens that the step can read.
    pub left: usize,
    /// Whether these tokens are scored.
    pub is_scored: bool,
    /// Number of the last step that read part of it, from 1; 0 if none did.
    pub last_step: u64,
}

/// Divides a chunk among prompts, given in order of arrival: returns how many tokens the step reads
/// of each. Together they are at most `chunk`, and at most `scored` of scored prompts. This is the
/// hook for fairness: it decides who waits, and changes no text.
pub type PrefillPolicy = fn(prompts: &[Prefill], chunk: usize, scored: usize) -> Vec<usize>;

/// The default policy: first come, first served.
pub fn first_come(prompts: &[Prefill], chunk: usize, scored: usize) -> Vec<usize> {
    let (mut left, mut left_scored) = (chunk, scored);
    let share = |prompt: &Prefill| {
        let most = if prompt.is_scored { left.min(left_scored) } else { left };
        let share = prompt.left.min(most);
        left -= share;
        left_scored -= if prompt.is_scored { share } else { 0 };
        share
    };
    prompts.iter().map(share).collect()
}

/// The first token of a prompt of `len` tokens that can't come from the prefix cache, because its
/// logits are needed: the last one, or the one before the first scored token.
pub(super) fn first_read(scoring: Option<PromptLogprobs>, len: usize) -> usize {
    scoring.map_or(usize::MAX, |scoring| scoring.from).clamp(1, len) - 1
}

/// A request in prefill.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) sequence: Sequence,
    pub(super) drafts: Vec<Draft>,
    pub(super) logprobs: Vec<Result<Scored, SampleError>>,
    /// Whether another request is reading the page that this one needs next.
    waits: bool,
    last_step: u64,
    /// Number of tokens that the current step reads.
    pub(super) share: usize,
    /// Index of its first row of logits in the step, if it has any.
    pub(super) first_row: usize,
}

impl Reading {
    /// Begins after the prefix that was found in the prefix cache.
    pub(super) fn new(sequence: Sequence, drafts: Vec<Draft>) -> Reading {
        let logprobs = Vec::new();
        Reading { sequence, drafts, logprobs, waits: false, last_step: 0, share: 0, first_row: 0 }
    }
}

impl Running {
    fn first_read(&self) -> usize {
        first_read(self.prompt_logprobs, self.prompt.len())
    }

    /// Whether the logits at position `pos` are needed.
    pub(super) fn is_scored_at(&self, pos: usize) -> bool {
        self.prompt_logprobs.is_some() && pos >= self.first_read()
    }

    /// The part of the prompt that a step can read. The part before the scored tokens comes first.
    fn prefill(&self) -> Option<Prefill> {
        let Phase::Prefill(reading) = &self.phase else { return None };
        let len = reading.sequence.len();
        let is_scored = self.is_scored_at(len);
        let end = match self.prompt_logprobs {
            Some(_) if !is_scored => self.first_read(),
            _ => self.prompt.len(),
        };
        let left = if reading.waits { 0 } else { end - len };
        Some(Prefill { request: self.id, left, is_scored, last_step: reading.last_step })
    }
}

impl Batch {
    /// Decides how many tokens of each prompt this step reads.
    pub(super) fn share_chunk(&mut self) {
        self.take_over();
        let (places, prompts): (Vec<usize>, Vec<Prefill>) = (self.running.iter().enumerate())
            .filter_map(|(at, one)| Some((at, one.prefill()?)))
            .filter(|(_, prompt)| prompt.left > 0)
            .unzip();
        self.running.iter_mut().for_each(|one| {
            if let Phase::Prefill(reading) = &mut one.phase {
                reading.share = 0;
            }
        });
        if prompts.is_empty() {
            return;
        }
        let decodes = self.running.iter().any(|one| matches!(one.phase, Phase::Decode(_)));
        let Chunks { alone, beside_decode, scored } = self.options.chunks;
        let (chunk, scored) = (if decodes { beside_decode } else { alone }.max(1), scored.max(1));
        let mut shares = (self.options.policy)(&prompts, chunk, scored);
        shares.resize(prompts.len(), 0);
        if !decodes && shares.iter().all(|&share| share == 0) {
            // A step that reads nothing would repeat forever.
            shares = first_come(&prompts, chunk, scored);
        }
        for ((at, prompt), share) in places.into_iter().zip(prompts).zip(shares) {
            if let Phase::Prefill(reading) = &mut self.running[at].phase
                && share > 0
            {
                reading.share = share.min(prompt.left);
                reading.last_step = self.n_steps + 1;
            }
        }
    }

    /// Marks prompts that need a page which another request is reading. Extends prompts whose page
    /// is now in the prefix cache.
    fn take_over(&mut self) {
        for at in 0..self.running.len() {
            let now = self.waits(at);
            let first_read = self.running[at].first_read();
            let Running { prompt, cached, phase: Phase::Prefill(reading), .. } =
                &mut self.running[at]
            else {
                continue;
            };
            let waited = std::mem::replace(&mut reading.waits, now);
            if waited && !now {
                let found = self.prefixes.find(&prompt[..first_read]);
                let more = found.len().saturating_sub(reading.sequence.len());
                if more > 0 {
                    reading.sequence = found;
                    *cached += more;
                    self.cached_tokens += more as u64;
                }
            }
        }
    }

    /// Whether another request has read further in a prompt that is equal up to the next place
    /// where it can be taken over: the end of the current page, or with recurrent layers the next
    /// place where a state is kept. Of two requests at the same place the later one waits, so one
    /// always proceeds.
    fn waits(&self, at: usize) -> bool {
        let own = &self.running[at];
        let Phase::Prefill(Reading { sequence, .. }) = &own.phase else { return false };
        let (len, has_state) = (sequence.len(), sequence.has_state());
        // Without a state, a page can be taken over in part.
        let last = own.first_read() + usize::from(!has_state);
        let end = |other: &Running| match has_state {
            false => (len / PAGE + 1) * PAGE,
            true => {
                let kept = (len / STATE_EVERY + 1) * STATE_EVERY;
                kept.min(other.prompt.len() / PAGE * PAGE)
            }
        };
        self.running.iter().enumerate().any(|(i, other)| match &other.phase {
            Phase::Prefill(Reading { sequence: theirs, .. }) => {
                let end = end(other);
                i != at
                    && (len + 1..=last).contains(&end)
                    && (theirs.len() > len || theirs.len() == len && i < at)
                    && other.prompt.starts_with(&own.prompt[..end])
            }
            Phase::Decode(_) => false,
        })
    }
}
