//! A prompt in, one or many continuations out: the generation loop and its observer.
//!
//! The prompt is read once; every column is a fork of it with a sampler of its own, and one step of the
//! model serves all columns. What a column draws depends on its sampler and its own text alone.

mod stop;

use std::ops::ControlFlow;

use kelvin_sampling::{Draw, SampleError, Sampler};

use crate::{
    Engine, TokenId,
    tokenizer::TextStream,
    transformer::{Append, Logits, ModelError, Scratch, Sequence, Want},
};
use stop::StopStrings;

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
}

impl Request {
    /// One column for each sampler, 256 tokens, no stop strings.
    pub fn new(samplers: Vec<Sampler>) -> Request {
        Request { samplers, max_tokens: 256, stop: Vec::new(), ignore_end: false, chunk: 256, context: None }
    }
}

/// What the loop tells about: a terminal, a stream of events, a trace, a record implement it. `Break` ends all columns.
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
    /// The text that is now complete: whole characters, and nothing that may turn out to be a stop string.
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
    /// The logits had no distribution (NaN, or infinite); the sampler's words.
    BadLogits(String),
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
    #[error("the prompt has {len} tokens, but the context has room for {limit}, at least one of them new")]
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

/// Refuses a prompt that can't be continued within `context` (a request's); otherwise how many tokens the text may have.
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
/// `sequence` may hold a beginning of the prompt already, which is then not read again; afterwards it holds the prompt.
pub fn generate(
    engine: &Engine,
    sequence: &mut Sequence,
    prompt: &[TokenId],
    request: Request,
    observer: &mut dyn Observer,
) -> Result<Vec<Continuation>, GenerateError> {
    let limit = check_prompt(engine, prompt, request.context)?;
    let mut scratch = Scratch::default();
    let cancelled = read_prompt(engine, sequence, prompt, request.chunk, &mut scratch, observer)?.is_break();
    let Request { samplers, max_tokens, stop, ignore_end, .. } = request;
    let mut columns: Vec<Column> = samplers
        .into_iter()
        .map(|sampler| Column {
            sampler: sampler.after(prompt),
            drawn: None,
            stream: TextStream::default(),
            stop: StopStrings::new(&stop),
            tokens: Vec::new(),
            text: String::new(),
            draws: Vec::new(),
            finish: cancelled.then_some(FinishReason::Cancelled),
            sequence: sequence.clone(),
        })
        .collect();
    // The last token of the prompt is every column's first step.
    let mut next = vec![prompt[prompt.len() - 1]; columns.len()];
    if !cancelled && sequence.len() == prompt.len() - 1 {
        // All columns share the first distribution, so it's computed once.
        let first = [next[0]];
        let mut batch = [Append { sequence, tokens: &first, want: Want::Last }];
        let logits = engine.model.forward(&mut batch, &mut scratch)?;
        columns.iter_mut().for_each(|column| column.sequence = batch[0].sequence.clone());
        let end = Ends { max_tokens, ignore_end, limit, prompt_len: prompt.len() };
        step_columns(engine, &mut columns, &mut next, logits, |_| 0, &end, observer);
        loop {
            let mut active = Vec::new();
            let mut batch: Vec<Append<'_>> = Vec::new();
            for (i, column) in columns.iter_mut().enumerate().filter(|(_, c)| c.finish.is_none()) {
                active.push(i);
                let tokens = std::slice::from_ref(&next[i]);
                batch.push(Append { sequence: &mut column.sequence, tokens, want: Want::Last });
            }
            if batch.is_empty() {
                break;
            }
            let logits = engine.model.forward(&mut batch, &mut scratch)?;
            let row_of = |column: usize| active.partition_point(|&i| i < column);
            step_columns(engine, &mut columns, &mut next, logits, row_of, &end, observer);
        }
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

/// When a column ends by itself.
struct Ends {
    max_tokens: usize,
    ignore_end: bool,
    limit: usize,
    prompt_len: usize,
}

/// A continuation in the making.
struct Column {
    sampler: Sampler,
    drawn: Option<Result<Draw, SampleError>>,
    stream: TextStream,
    stop: StopStrings,
    tokens: Vec<TokenId>,
    text: String,
    draws: Vec<Draw>,
    finish: Option<FinishReason>,
    sequence: Sequence,
}

/// Draws a token for every active column (spread over the pool) and tells the observer, in the columns' order.
fn step_columns(
    engine: &Engine,
    columns: &mut [Column],
    next: &mut [TokenId],
    logits: Logits<'_>,
    row_of: impl Fn(usize) -> usize + Sync,
    ends: &Ends,
    observer: &mut dyn Observer,
) {
    let row = |column: usize| logits.row(row_of(column));
    engine.model.for_each(columns, &|i, column| {
        if column.finish.is_none() {
            let pos = ends.prompt_len + column.tokens.len();
            column.drawn = Some(column.sampler.draw(row(i), pos as u64));
        }
    });
    let mut cancelled = false;
    for (i, column) in columns.iter_mut().enumerate() {
        let Some(drawn) = column.drawn.take() else {
            continue;
        };
        if cancelled {
            column.end(i, FinishReason::Cancelled, observer);
            continue;
        }
        let draw = match drawn {
            Ok(draw) => draw,
            Err(error) => {
                column.end(i, FinishReason::BadLogits(error.to_string()), observer);
                continue;
            }
        };
        if ends.max_tokens == 0 {
            column.end(i, FinishReason::MaxTokens, observer);
            continue;
        }
        if !ends.ignore_end && engine.tokenizer.end_tokens().contains(&draw.token) {
            column.end(i, FinishReason::EndToken(draw.token), observer);
            continue;
        }
        next[i] = draw.token;
        let index = column.tokens.len();
        column.tokens.push(draw.token);
        column.draws.push(draw);
        let new = column.stream.push(engine.tokenizer.bytes(draw.token, false));
        let (text, stopped) = column.stop.push(&new);
        column.text.push_str(&text);
        let step = Step { column: i, index, pos: ends.prompt_len + index, draw, text: &text, logits: row(i) };
        cancelled = observer.token(&step).is_break();
        if let Some(stop) = stopped {
            column.end(i, FinishReason::StopString(stop), observer);
        } else if column.tokens.len() >= ends.max_tokens {
            column.end(i, FinishReason::MaxTokens, observer);
        } else if ends.prompt_len + column.tokens.len() >= ends.limit {
            column.end(i, FinishReason::ContextFull, observer);
        } else if cancelled {
            column.end(i, FinishReason::Cancelled, observer);
        }
    }
    if cancelled {
        // Columns before the one that broke off had their token already.
        for (i, column) in columns.iter_mut().enumerate().filter(|(_, c)| c.finish.is_none()) {
            column.end(i, FinishReason::Cancelled, observer);
        }
    }
}

impl Column {
    fn end(&mut self, i: usize, reason: FinishReason, observer: &mut dyn Observer) {
        let rest = if matches!(reason, FinishReason::StopString(_)) {
            String::new()
        } else {
            let (mut text, _) = self.stop.push(&self.stream.finish());
            text.push_str(&self.stop.finish());
            text
        };
        self.text.push_str(&rest);
        observer.finished(i, &rest, &reason);
        self.finish = Some(reason);
    }

    fn into_continuation(self) -> Continuation {
        let Column { tokens, text, draws, finish, sequence, .. } = self;
        let finish = finish.expect("the loop runs until every column has ended");
        Continuation { tokens, text, draws, finish, sequence }
    }
}
