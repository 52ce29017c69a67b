//! What an API that generates text defines: its request's type, and the format of its replies.

use serde::Serialize;

use crate::{
    Shared, controls::Controls, fields::Object, forms::Wanted, problem::Problem, prompts::Prompt,
    queue::Event, reply::Reply, stream::Teller,
};

/// An API that generates text. A value of the type is an answer in progress, which a stream tells
/// of piece by piece.
pub(crate) trait Api: Teller {
    /// The body of a request.
    type Request: Object;
    /// What an answer repeats of its request.
    type Repeated: Send;
    /// The body of an answer that isn't streamed.
    type Answer: Serialize;

    /// The parameter that holds the prompt.
    const PROMPT: &'static str;
    /// What an answer's id begins with.
    const ID: &'static str;
    /// Default of the maximum number of new tokens.
    const MAX_TOKENS: usize;

    /// Whether a model's thoughts are a part of the answer of their own.
    const KEEPS_THOUGHTS_APART: bool = false;

    /// Resolves a request.
    fn asked(request: Self::Request, shared: &Shared) -> Result<(Asked, Self::Repeated), Problem>;

    /// The answer whose events are to be collected in `reply`.
    fn begin(reply: Reply, repeated: Self::Repeated) -> Self;

    /// What has been collected.
    fn reply(&mut self) -> &mut Reply;

    /// Adds an event to the answer.
    fn take(&mut self, event: Event) -> Result<(), Problem> {
        self.reply().take(event)
    }

    /// The answer that isn't streamed.
    fn whole(&self) -> Self::Answer;
}

/// A resolved request.
pub(crate) struct Asked {
    pub(crate) controls: Controls,
    pub(crate) prompts: Vec<Prompt>,
    /// Maximum number of new tokens, if the request has one.
    pub(crate) max_tokens: Option<usize>,
    /// Number of top logprobs, if logprobs are requested.
    pub(crate) n_top: Option<usize>,
    /// Whether the prompt is part of the answer.
    pub(crate) echo: bool,
    /// The form of the text, if one is requested.
    pub(crate) wanted: Option<Wanted>,
}
