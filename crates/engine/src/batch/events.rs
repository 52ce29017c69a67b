//! What a batch tells: progress of a prompt, drawn tokens, ends of texts and of requests.

use std::ops::ControlFlow;

use kelvin_sampling::{Draw, Learned, SampleError};

use super::{RequestId, Scored};
use crate::generate::FinishReason;

/// Is told what a batch does. A terminal, a stream of events, a trace, a record implement it.
///
/// A `Break` cancels the request that the call was about: its open texts end with
/// [`FinishReason::Cancelled`].
pub trait Observer {
    /// So many of a prompt's tokens have been read; told before each step that may read of it, and
    /// once with `done == total`.
    fn prompt(&mut self, request: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        let _ = (request, done, total);
        ControlFlow::Continue(())
    }

    /// A prompt has been read to its end.
    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        let _ = read;
        ControlFlow::Continue(())
    }

    /// A text has a new token.
    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// Text `column` of a request has ended; `text` is what was held back until now.
    fn finished(&mut self, request: RequestId, column: usize, text: &str, reason: &FinishReason) {
        let _ = (request, column, text, reason);
    }

    /// A request has left the batch: nothing more is told of it.
    fn ended(&mut self, request: RequestId) {
        let _ = request;
    }
}

/// Watches nothing.
impl Observer for () {}

/// A prompt that has been read.
#[derive(Debug)]
pub struct PromptRead<'a> {
    /// Whose prompt it is.
    pub request: RequestId,
    /// Tokens that were found in the prefix cache.
    pub cached: usize,
    /// The scores of its tokens, if they were asked for: one for each position from
    /// [`super::PromptLogprobs::from`] on.
    pub logprobs: Vec<Result<Scored, SampleError>>,
    /// What comes next: vocab_size raw logits.
    pub logits: &'a [f32],
}

/// One drawn token of one text.
#[derive(Debug)]
pub struct Step<'a> {
    /// Whose text it is.
    pub request: RequestId,
    /// Which text of the request, from 0.
    pub column: usize,
    /// Which token of the continuation, from 0.
    pub index: usize,
    /// Its position in the whole text.
    pub pos: usize,
    /// The token and its place in the distribution.
    pub draw: Draw,
    /// The text that is now complete: whole characters, and nothing that may turn out to be a stop
    /// string.
    pub text: &'a str,
    /// What it was drawn from: vocab_size raw logits.
    pub logits: &'a [f32],
    /// Its score, if that was asked for.
    pub scored: Option<Scored>,
    /// What a stage of its chain that learns knows now.
    pub learned: Option<Learned>,
}
