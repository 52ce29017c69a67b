//! Runs a batch until one request has ended: a prompt's continuations, its next logits, or the
//! logprobs of a text.

use std::{collections::BTreeMap, ops::ControlFlow};

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
    /// Thoughts that are kept apart from the text.
    pub thoughts: String,
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
        thoughts: String::new(),
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

/// Reads several prompts together, as many at a time as the batch has room for, and hands the raw
/// logits after each (vocab_size numbers) to `see`, with the prompt's index. Prompts that begin
/// alike share what they begin with. A `Break` of `see` ends the reading.
///
/// # Errors
/// If a prompt is empty, longer than the context or larger than an empty batch, or if the model
/// refuses a step. No prompt is left in the batch then.
pub fn next_logits_of_each(
    engine: &Engine,
    batch: &mut Batch,
    prompts: Vec<Vec<TokenId>>,
    see: &mut dyn FnMut(usize, &[f32]) -> ControlFlow<()>,
) -> Result<(), GenerateError> {
    let mut waiting = prompts.into_iter().enumerate().peekable();
    let mut each = Each { see, places: BTreeMap::new(), is_over: false };
    let mut fill = |batch: &mut Batch, each: &mut Each<'_>| {
        while let Some((place, prompt)) = waiting.peek() {
            let request = Request::new(prompt.clone(), Vec::new());
            match batch.place(engine, &request)? {
                Some(room) => {
                    each.places.insert(batch.start(engine, request, room), *place);
                }
                // An empty batch has no more room than it has now.
                None if each.places.is_empty() => {
                    each.places.insert(batch.admit(engine, request)?, *place);
                }
                None => return Ok(true),
            }
            waiting.next();
        }
        Ok(!each.places.is_empty())
    };
    loop {
        let stepped = fill(batch, &mut each).and_then(|goes_on| {
            if goes_on {
                batch.step(engine, &mut each)?;
            }
            Ok(goes_on)
        });
        let is_over = each.is_over || !matches!(stepped, Ok(true));
        if is_over {
            each.places.keys().for_each(|&id| batch.cancel(id));
            return stepped.map(drop);
        }
    }
}

/// Hands out the logits after each of several prompts.
struct Each<'a> {
    see: &'a mut dyn FnMut(usize, &[f32]) -> ControlFlow<()>,
    /// Indices of the prompts that are being read.
    places: BTreeMap<RequestId, usize>,
    is_over: bool,
}

impl Observer for Each<'_> {
    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        if let Some(place) = self.places.remove(&read.request)
            && (self.see)(place, read.logits).is_break()
        {
            self.is_over = true;
        }
        ControlFlow::Continue(())
    }
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

    fn thought(&mut self, request: RequestId, column: usize, text: &str) {
        if request == self.id {
            self.continuations[column].thoughts.push_str(text);
        }
        self.observer.thought(request, column, text);
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
