//! Events of a batch: progress of prefill, drawn tokens, ends of texts and of requests.

use std::ops::ControlFlow;

use kelvin_sampling::{Draw, Learned, SampleError};

use super::{RequestId, Scored};
use crate::generate::FinishReason;

/// Receives the events of a batch. The terminal, the server's streams, traces and the lab's records
/// implement it.
///
/// A `Break` cancels the request that the call was about: its open texts end with
/// [`FinishReason::Cancelled`].
pub trait Observer {
    /// Progress of prefill: `done` of `total` tokens have been read. Called before each step that
    /// may read part of the prompt, and once with `done == total`.
    fn prompt(&mut self, request: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        let _ = (request, done, total);
        ControlFlow::Continue(())
    }

    /// Prefill of a prompt has ended.
    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        let _ = read;
        ControlFlow::Continue(())
    }

    /// A text that keeps its thoughts apart ([`crate::generate::Thoughts`]) has new ones. The event
    /// of the token follows, or the text's end.
    fn thought(&mut self, request: RequestId, column: usize, text: &str) {
        let _ = (request, column, text);
    }

    /// A text has a new token. While a banned string may take tokens back, they are told later.
    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// Text `column` of a request has ended. `text` is its last part, which had been held back.
    fn finished(&mut self, request: RequestId, column: usize, text: &str, reason: &FinishReason) {
        let _ = (request, column, text, reason);
    }

    /// A request has left the batch. No more events of it follow.
    fn ended(&mut self, request: RequestId) {
        let _ = request;
    }
}

/// An observer that ignores all events.
impl Observer for () {}

/// A prompt after prefill.
#[derive(Debug)]
pub struct PromptRead<'a> {
    /// The request.
    pub request: RequestId,
    /// Tokens that were found in the prefix cache.
    pub cached: usize,
    /// Logprobs of its tokens, if requested: one for each position from
    /// [`super::PromptLogprobs::from`] on.
    pub logprobs: Vec<Result<Scored, SampleError>>,
    /// Raw logits after the last token of the prompt: vocab_size numbers.
    pub logits: &'a [f32],
}

/// One drawn token of one text.
#[derive(Debug)]
pub struct Step<'a> {
    /// The request.
    pub request: RequestId,
    /// Index of the text in the request, from 0.
    pub column: usize,
    /// Index of the token in the continuation, from 0.
    pub index: usize,
    /// Position of the token, prompt included.
    pub pos: usize,
    /// The drawn token and its place in the distribution.
    pub draw: Draw,
    /// New text that can be shown: whole characters, without a possible beginning of a stop string.
    pub text: &'a str,
    /// Raw logits of the step: vocab_size numbers.
    pub logits: &'a [f32],
    /// Logprobs of the token, if requested.
    pub scored: Option<Scored>,
    /// State of the chain's learning stage (mirostat, adaptive_p), if it has one.
    pub learned: Option<Learned>,
}
