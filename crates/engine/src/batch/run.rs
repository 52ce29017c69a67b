//! Runs a batch until one request has ended: a prompt's continuations, its next logits, or the
//! logprobs of a text.

use std::ops::ControlFlow;

use kelvin_sampling::{Draw, SampleError};

use super::{
    Batch, GenerateError, Observer, PromptLogprobs, PromptRead, Request, RequestId, Scored, Step,
    check_prompt,
};
use crate::{Engine, TokenId, generate::FinishReason};

/// The result of one draft.
#[derive(Debug, Clone)]
pub struct Continuation {
    /// Tokens of the continuation.
    pub tokens: Vec<TokenId>,
    /// The text, up to a stop string.
    pub text: String,
    /// The draw of each token.
    pub draws: Vec<Draw>,
    /// Why the continuation ended.
    pub finish: FinishReason,
}

/// Runs a request and returns the continuation of each of its drafts.
///
/// Other requests of the batch run meanwhile, and `observer` gets their events too. A prefix of the
/// prompt that is in the prefix cache isn't computed again.
///
/// # Errors
/// If the prompt is empty or leaves no room for a token, if the batch has no room for the request,
/// or if the model refuses a step.
pub fn generate(
    engine: &Engine,
    batch: &mut Batch,
    request: Request,
    observer: &mut dyn Observer,
) -> Result<Vec<Continuation>, GenerateError> {
    check_prompt(engine, &request.prompt, Some(request.ends.limit))?;
    let unfinished = || Continuation {
        tokens: Vec::new(),
        text: String::new(),
        draws: Vec::new(),
        finish: FinishReason::Cancelled,
    };
    let continuations = request.drafts.iter().map(|_| unfinished()).collect();
    let id = batch.admit(engine, request)?;
    let mut collect = Collect { id, observer, continuations, read: None, has_ended: false };
    run(engine, batch, &mut collect)?;
    Ok(collect.continuations)
}

/// Reads a prompt and returns the raw logits after it (vocab_size numbers); `None` if the observer
/// cancelled it.
///
/// # Errors
/// If the prompt is empty or longer than the context, if the batch has no room for it, or if the
/// model refuses a step.
pub fn next_logits(
    engine: &Engine,
    batch: &mut Batch,
    prompt: Vec<TokenId>,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<f32>>, GenerateError> {
    let id = batch.admit(engine, Request::new(prompt, Vec::new()))?;
    let mut collect =
        Collect { id, observer, continuations: Vec::new(), read: None, has_ended: false };
    run(engine, batch, &mut collect)?;
    Ok(collect.read.map(|(_, logits)| logits))
}

/// Logprobs of the tokens of a text from position `from` (at least 1) on, under the model's own
/// distribution. Tokens before `from` may come from the prefix cache.
///
/// # Errors
/// If the text is empty or longer than the context, if the batch has no room for it, if the model
/// refuses a step, or if its logits have no distribution.
pub fn score_tokens(
    engine: &Engine,
    batch: &mut Batch,
    text: Vec<TokenId>,
    from: usize,
) -> Result<Vec<Scored>, ScoreError> {
    let scoring = Some(PromptLogprobs { from, n_top: 0 });
    let request = Request { prompt_logprobs: scoring, ..Request::new(text, Vec::new()) };
    let id = batch.admit(engine, request)?;
    let mut collect =
        Collect { id, observer: &mut (), continuations: Vec::new(), read: None, has_ended: false };
    run(engine, batch, &mut collect)?;
    let (scores, _) = collect.read.unwrap_or_default();
    Ok(scores.into_iter().collect::<Result<_, _>>()?)
}

/// Why a text can't be scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The text can't be read.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The model's logits have no distribution.
    #[error(transparent)]
    Logits(#[from] SampleError),
}

/// Runs steps until a request has ended. On an error the request is cancelled.
fn run(engine: &Engine, batch: &mut Batch, collect: &mut Collect<'_>) -> Result<(), GenerateError> {
    while !collect.has_ended && !batch.is_empty() {
        if let Err(error) = batch.step(engine, collect) {
            batch.cancel(collect.id);
            return Err(error.into());
        }
    }
    Ok(())
}

/// Logprobs of the scored tokens of a prompt, or the error of the sampler.
type PromptScores = Vec<Result<Scored, SampleError>>;

/// Collects the events of one request, and passes all events on.
struct Collect<'o> {
    id: RequestId,
    observer: &'o mut dyn Observer,
    continuations: Vec<Continuation>,
    /// Logprobs of the prompt and logits after it, for a request without continuations.
    read: Option<(PromptScores, Vec<f32>)>,
    has_ended: bool,
}

impl Observer for Collect<'_> {
    fn prompt(&mut self, request: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        self.observer.prompt(request, done, total)
    }

    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        if read.request == self.id && self.continuations.is_empty() {
            self.read = Some((read.logprobs.clone(), read.logits.to_vec()));
        }
        self.observer.prompt_read(read)
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        if step.request == self.id {
            let continuation = &mut self.continuations[step.column];
            continuation.tokens.push(step.draw.token);
            continuation.draws.push(step.draw);
            continuation.text.push_str(step.text);
        }
        self.observer.token(step)
    }

    fn finished(&mut self, request: RequestId, column: usize, text: &str, reason: &FinishReason) {
        if request == self.id {
            let continuation = &mut self.continuations[column];
            continuation.text.push_str(text);
            continuation.finish = reason.clone();
        }
        self.observer.finished(request, column, text, reason);
    }

    fn ended(&mut self, request: RequestId) {
        self.has_ended |= request == self.id;
        self.observer.ended(request);
    }
}
