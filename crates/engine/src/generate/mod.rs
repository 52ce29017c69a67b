//! A prompt in, one or many continuations out: the generation loop and its observer.
//!
//! The prompt is read once; every column is a fork of it with a sampler of its own, and one step of
//! the model serves all columns. What a column draws depends on its sampler and its own text alone.

mod column;
mod constraint;
mod stop;

pub use column::{Column, Ends, Taken};
pub use constraint::Constraint;

use std::ops::ControlFlow;

use kelvin_sampling::{Draw, Sampler};

use crate::{
    Engine, TokenId,
    transformer::{Append, Logits, ModelError, Scratch, Sequence, Want},
};

/// What to make of a prompt.
#[derive(Debug)]
pub struct Request {
    /// One column each, told of the prompt here.
    pub samplers: Vec<Sampler>,
    /// How many tokens a column may have.
    pub max_tokens: usize,
    /// Texts that end a column; they aren't part of its text.
    pub stop: Vec<String>,
    /// Go on after the tokens that end a turn.
    pub ignore_end: bool,
    /// Prompt tokens a step.
    pub chunk: usize,
    /// Tokens a text may have, prompt included; the model's own limit if none or larger.
    pub context: Option<usize>,
    /// What each column's text is held to, each by a fork of its own. A text that is complete ends,
    /// whatever else is asked of its end.
    pub constraint: Option<Box<dyn Constraint>>,
}

impl Request {
    /// One column for each sampler, 256 tokens, no stop strings, no constraint.
    pub fn new(samplers: Vec<Sampler>) -> Request {
        Request {
            samplers,
            max_tokens: 256,
            stop: Vec::new(),
            ignore_end: false,
            chunk: 256,
            context: None,
            constraint: None,
        }
    }
}

/// What the loop tells about: a terminal, a stream of events, a trace, a record implement it.
/// `Break` ends all columns.
pub trait Observer {
    /// So many of the prompt's tokens have been read.
    fn prompt(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        let _ = (done, total);
        ControlFlow::Continue(())
    }

    /// A column has a new token.
    fn token(&mut self, step: &Step<'_>) -> ControlFlow<()>;

    /// A column has ended; `text` is what was held back until now.
    fn finished(&mut self, column: usize, text: &str, reason: &FinishReason) {
        let _ = (column, text, reason);
    }
}

/// One drawn token of one column.
#[derive(Debug)]
pub struct Step<'a> {
    /// Which column, from 0.
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
}

/// Why a column ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FinishReason {
    /// The model ended its turn with this token, which isn't part of the continuation.
    EndToken(TokenId),
    /// This stop string came up.
    StopString(String),
    /// It has as many tokens as were asked for.
    MaxTokens,
    /// The context is full.
    ContextFull,
    /// The observer broke off.
    Cancelled,
    /// The constraint is fulfilled and allows nothing more.
    Complete,
    /// The logits had no distribution (NaN, or infinite); the sampler's words.
    BadLogits(String),
    /// Controls and constraint together left no token, or the constraint gave up; in its words.
    NothingLeft(String),
    /// Drawing a token panicked, in a constraint or a stage.
    Panicked,
}

impl FinishReason {
    /// What went wrong, if it ended badly.
    pub fn failure(&self) -> Option<String> {
        match self {
            FinishReason::BadLogits(what) => {
                Some(format!("the model gave logits that nothing can be drawn from: {what}"))
            }
            FinishReason::NothingLeft(what) => Some(format!("no token can come next: {what}")),
            FinishReason::Panicked => Some("drawing a token panicked; this is a bug".to_string()),
            _ => None,
        }
    }
}

/// What became of one column.
#[derive(Debug)]
pub struct Continuation {
    /// Its tokens, one for each draw.
    pub tokens: Vec<TokenId>,
    /// Its text, up to a stop string.
    pub text: String,
    /// How each token was drawn.
    pub draws: Vec<Draw>,
    /// Why it ended.
    pub finish: FinishReason,
    /// The prompt and the continuation as the model has read them, to go on from.
    pub sequence: Sequence,
}

/// Why nothing could be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// There's nothing to continue.
    #[error("the prompt has no tokens, so there is nothing to continue")]
    EmptyPrompt,
    /// The prompt leaves no room.
    #[error(
        "the prompt has {len} tokens, but the context has room for {limit}, at least one of them new"
    )]
    PromptTooLong {
        /// Tokens of the prompt.
        len: usize,
        /// Tokens of the context.
        limit: usize,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Refuses a prompt that can't be continued within `context` (a request's); otherwise how many
/// tokens the text may have.
pub fn check_prompt(
    engine: &Engine,
    prompt: &[TokenId],
    context: Option<usize>,
) -> Result<usize, GenerateError> {
    let limit = context.unwrap_or(usize::MAX).min(engine.model.config.ctx_len);
    if prompt.is_empty() {
        return Err(GenerateError::EmptyPrompt);
    }
    if prompt.len() >= limit {
        return Err(GenerateError::PromptTooLong { len: prompt.len(), limit });
    }
    Ok(limit)
}

/// Continues a prompt in as many columns as the request has samplers.
///
/// `sequence` may hold a beginning of the prompt already, which is then not read again; afterwards
/// it holds the prompt.
pub fn generate(
    engine: &Engine,
    sequence: &mut Sequence,
    prompt: &[TokenId],
    request: Request,
    observer: &mut dyn Observer,
) -> Result<Vec<Continuation>, GenerateError> {
    let limit = check_prompt(engine, prompt, request.context)?;
    let mut scratch = Scratch::default();
    let cancelled =
        read_prompt(engine, sequence, prompt, request.chunk, &mut scratch, observer)?.is_break();
    let Request { samplers, max_tokens, stop, ignore_end, constraint, .. } = request;
    let ends = Ends { max_tokens, limit, ignore_end, texts: stop, ..Ends::default() };
    let new = |sampler, sequence: &Sequence| {
        let constraint = constraint.as_ref().map(|constraint| constraint.fork());
        Column::new(sampler, sequence.clone(), prompt, &engine.tokenizer, &ends).under(constraint)
    };
    let mut columns: Vec<Column>;
    if cancelled {
        columns = samplers.into_iter().map(|sampler| new(sampler, sequence)).collect();
        columns.iter_mut().for_each(|column| drop(column.end(&FinishReason::Cancelled)));
    } else {
        // All columns share the first distribution, so it's computed once.
        let last = &prompt[prompt.len() - 1..];
        let logits = engine
            .model
            .forward(&mut [Append { sequence, tokens: last, want: Want::Last }], &mut scratch)?;
        columns = samplers.into_iter().map(|sampler| new(sampler, sequence)).collect();
        step_columns(engine, &mut columns, logits, |_| 0, &ends, observer);
    }
    loop {
        let mut active = Vec::new();
        let mut batch: Vec<Append<'_>> = Vec::new();
        for (i, column) in columns.iter_mut().enumerate().filter(|(_, column)| column.is_open()) {
            active.push(i);
            batch.push(column.append());
        }
        if batch.is_empty() {
            break;
        }
        let logits = engine.model.forward(&mut batch, &mut scratch)?;
        let row_of = |column: usize| active.partition_point(|&i| i < column);
        step_columns(engine, &mut columns, logits, row_of, &ends, observer);
    }
    Ok(columns.into_iter().map(Column::into_continuation).collect())
}

/// Reads all of the prompt but its last token, in chunks.
fn read_prompt(
    engine: &Engine,
    sequence: &mut Sequence,
    prompt: &[TokenId],
    chunk: usize,
    scratch: &mut Scratch,
    observer: &mut dyn Observer,
) -> Result<ControlFlow<()>, GenerateError> {
    let (last, head) = (prompt.len() - 1, &prompt[..prompt.len() - 1]);
    let shared = sequence.tokens().iter().zip(head).take_while(|(a, b)| a == b).count();
    sequence.truncate(shared);
    for tokens in head[shared..].chunks(chunk.max(1)) {
        if observer.prompt(sequence.len(), prompt.len()).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        engine.model.forward(&mut [Append { sequence, tokens, want: Want::None }], scratch)?;
    }
    debug_assert_eq!(sequence.len(), last);
    Ok(observer.prompt(prompt.len(), prompt.len()))
}

/// Draws a token for every open column (spread over the pool) and tells the observer, in the
/// columns' order.
fn step_columns(
    engine: &Engine,
    columns: &mut [Column],
    logits: Logits<'_>,
    row_of: impl Fn(usize) -> usize + Sync,
    ends: &Ends,
    observer: &mut dyn Observer,
) {
    let row = |column: usize| logits.row(row_of(column));
    engine.model.for_each(columns, &|i, column| {
        if column.is_open() {
            column.draw(row(i));
        }
    });
    let mut cancelled = false;
    for (i, column) in columns.iter_mut().enumerate() {
        if cancelled {
            break;
        }
        let pos = column.pos();
        let Some(taken) = column.take(&engine.tokenizer, ends) else { continue };
        if let Some(draw) = taken.draw {
            let index = column.tokens().len() - 1;
            let step = Step { column: i, index, pos, draw, text: &taken.text, logits: row(i) };
            cancelled = observer.token(&step).is_break();
        }
        if let Some((rest, reason)) = taken.end {
            observer.finished(i, &rest, &reason);
        }
    }
    if cancelled {
        // Those before the one that broke off have had their token; a token drawn for one after it
        // isn't taken.
        for (i, column) in columns.iter_mut().enumerate().filter(|(_, column)| column.is_open()) {
            let rest = column.end(&FinishReason::Cancelled);
            observer.finished(i, &rest, &FinishReason::Cancelled);
        }
    }
}
