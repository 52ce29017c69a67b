//! Continues a text in several columns, as a stream with an event for every token.
//!
//! All columns are one job: they use equal random numbers, share the prompt's KV cache and decode
//! in one batch. The figures at a column's end are computed by the functions that `kelvin compare`
//! uses.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use kelvin_engine::{
    Engine, TokenId,
    batch::{self, Draft, PromptLogprobs, Scored, pages},
    generate::{Ends, FinishReason},
    tokenizer::TextStream,
};
use kelvin_sampling::{Draw, Sampler};
use kelvin_views::{
    clock::{Clock, Timings},
    figures::{Figures, Finish},
    token,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    ask::{self, Ask, Learned, Subject},
    phases::{self, Phase, Phases},
};
use crate::{
    Shared,
    body::read_body,
    events::StreamEvent,
    fields::{Fields, Param, Place},
    gate::RequestId,
    limits::MAX_COLUMNS,
    problem::Problem,
    queue::{Event, Job},
    scores::LogprobsStage,
    stream::{Teller, streamed},
};

/// Default of `max_tokens`.
const TOKENS: u64 = 48;

/// Streams the continuations of a text, one for each column.
pub(super) async fn write(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let (job, writing, events) =
        shared.work_on(read, move |bytes| plan(&for_work, &id.0, bytes)).await?;
    shared.queue.push(vec![job])?;
    Ok(streamed(writing, events, Arc::clone(&shared.metrics)))
}

/// The state of a stream.
struct Writing {
    engine: Arc<Engine>,
    tokens: Vec<TokenId>,
    n_prompt: usize,
    /// The first token for which the stream has a logprob; `None`: the stream has no event for the
    /// prompt's tokens.
    tells_from: Option<usize>,
    /// Whether the context leaves fewer tokens than requested.
    is_cut: bool,
    /// Whether a job without columns has finished prefill.
    is_read: bool,
    columns: Vec<Column>,
}

/// A column so far.
struct Column {
    clock: Clock,
    tokens: Vec<TokenId>,
    draws: Vec<Draw>,
    has_ended: bool,
    /// Where its tokens stand, if there is anything to tell.
    phases: Option<Phases>,
}

/// An event of the stream.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// The prompt was read.
    Read {
        n_tokens: usize,
        cached_tokens: usize,
        n_prompt: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        tokens: Option<Vec<ReadToken>>,
    },
    /// A column has a new token.
    Token {
        column: usize,
        id: u32,
        text: String,
        shown: String,
        surprisal: f64,
        surprisal_final: f64,
        entropy: f64,
        entropy_final: f64,
        /// 0 is the likeliest.
        rank: Option<usize>,
        survivors: u32,
        learned: Option<Learned>,
        /// The place of the schedule whose chain drew it.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// It is one of the model's thoughts.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        thinks: bool,
    },
    /// A column has ended.
    End {
        column: usize,
        text: String,
        words: String,
        finish: Finish,
        figures: Figures,
        timings: Timings,
    },
}

/// A token and its text. A character's text comes with the last of its tokens.
#[derive(Serialize)]
pub(super) struct NamedToken {
    id: u32,
    text: String,
    shown: String,
}

/// A token of the prompt.
#[derive(Serialize)]
struct ReadToken {
    #[serde(flatten)]
    token: NamedToken,
    surprisal: Option<f64>,
    entropy: Option<f64>,
    rank: Option<usize>,
}

/// Parses a request, and refuses it before anything is computed.
fn plan(
    shared: &Shared,
    id: &str,
    bytes: &[u8],
) -> Result<(Job, Writing, UnboundedReceiver<Event>), Problem> {
    let mut fields = Fields::parse(bytes, shared.bounds())?;
    let subject = Subject::read(&mut fields, shared)?;
    let asked = fields.whole("max_tokens", 1..=u64::from(u32::MAX))?.unwrap_or(TOKENS) as usize;
    let tells_read = fields.flag("tokens")?;
    let from = fields.whole("from", 0..=u64::from(u32::MAX))?.unwrap_or(0) as usize;
    let (drafts, phases) = drafts(&mut fields, shared, &subject)?;
    // The answer is always a stream.
    fields.flag("stream")?;
    fields.end()?;
    let (len, limit, n) = (subject.tokens.len(), shared.limit, drafts.len());
    if len == 0 {
        return Err(Problem::parameter(
            "prompt",
            "the text has no tokens, so there is nothing to continue",
        ));
    }
    if len + usize::from(n > 0) > limit {
        return Err(ask::too_long(len, limit));
    }
    if from >= len {
        let message = format!("\"from\" is token {from}, but the text has {len}, counted from 0");
        return Err(Problem::parameter("from", message));
    }
    let max_tokens = if n == 0 { 0 } else { asked.min(limit - len) };
    if pages(len, n, max_tokens) > shared.room.n_pages {
        let (needed, most) = (len + n * max_tokens, shared.room.n_tokens());
        let message = format!(
            "{n} columns of {max_tokens} tokens after a text of {len} may need room for {needed}, \
             but there is room for {most}"
        );
        return Err(Problem::context("max_tokens", message));
    }
    let column = |phases: Option<Phases>| Column {
        clock: Clock::start(),
        tokens: Vec::new(),
        draws: Vec::new(),
        has_ended: false,
        phases,
    };
    let (sender, events) = unbounded_channel();
    let writing = Writing {
        engine: Arc::clone(&shared.engine),
        n_prompt: len - subject.taken().len(),
        tokens: subject.tokens.clone(),
        tells_from: tells_read.then_some(from),
        is_cut: max_tokens < asked,
        is_read: false,
        columns: phases.into_iter().map(column).collect(),
    };
    let job = Job {
        id: id.to_string(),
        request: batch::Request {
            prompt: subject.tokens,
            drafts,
            ends: Ends { max_tokens, limit, ..Ends::default() },
            bans: Arc::new([]),
            prompt_logprobs: tells_read.then_some(PromptLogprobs { from: from.max(1), n_top: 0 }),
        },
        whole: None,
        first_choice: 0,
        events: sender,
        arrived: Instant::now(),
    };
    Ok((job, writing, events))
}

/// Takes `columns`: a list of objects with the sampling settings of the other routes. Where tokens
/// of each stand is told as they are drawn.
fn drafts(
    fields: &mut Fields,
    shared: &Shared,
    subject: &Subject,
) -> Result<(Vec<Draft>, Vec<Option<Phases>>), Problem> {
    let Columns(columns) = fields.take::<Option<Columns>>("columns")?.unwrap_or_default();
    let one = |mut fields: Fields| {
        let ask = Ask::read(&mut fields, &shared.engine)?;
        fields.end()?;
        ask.check_draws()?;
        let logprobs = Some(LogprobsStage::Raw.logprobs(0, &ask.chain));
        let state = subject.state(&ask);
        let watched = phases::watch(&shared.engine, &ask.chain, state.clone());
        let (tap, phases) = watched.unzip();
        let mut sampler = Sampler::new(ask.chain, ask.dice);
        sampler.set_state(state);
        Ok((Draft { logprobs, tap, ..Draft::new(sampler) }, phases))
    };
    columns.into_iter().map(one).collect()
}

/// The objects of `columns`.
#[derive(Default)]
struct Columns(Vec<Fields>);

impl Param for Columns {
    fn read(value: Value, place: &Place) -> Result<Columns, Problem> {
        let most = MAX_COLUMNS.min(place.bounds.n_texts);
        let expected = format!("a list of at most {most} objects");
        let items = match value {
            Value::Array(items) if items.len() <= most => items,
            other => return Err(place.wrong(&other, &expected)),
        };
        let one = |(i, item)| place.item(i).object(item, &expected);
        items.into_iter().enumerate().map(one).collect::<Result<_, _>>().map(Columns)
    }
}

impl Teller for Writing {
    type Event = StreamEvent<Written>;

    const ENDS_WITH_DONE: bool = true;

    fn tell(&mut self, event: Event) -> Result<Vec<Self::Event>, Problem> {
        let written = match event {
            Event::Read { cached, scores, .. } => {
                self.columns.iter_mut().for_each(|column| column.clock.prompt_read());
                Written::Read {
                    n_tokens: self.tokens.len(),
                    cached_tokens: cached,
                    n_prompt: self.n_prompt,
                    tokens: self.tells_from.map(|from| self.read(from, &scores)),
                }
            }
            Event::Token { choice, text, draw, scored, learned } => {
                let column = &mut self.columns[choice];
                column.clock.token();
                column.tokens.push(draw.token);
                column.draws.push(draw);
                let phase = column.phases.as_ref().map(Phases::next);
                let Phase { at, thinks } = phase.unwrap_or_default();
                Written::Token {
                    column: choice,
                    id: draw.token.0,
                    text,
                    shown: token::shown(&self.engine, draw.token),
                    surprisal: draw.surprisal,
                    surprisal_final: draw.surprisal_final,
                    entropy: draw.entropy,
                    entropy_final: draw.entropy_final,
                    rank: scored.map(|scored| scored.rank - 1),
                    survivors: draw.survivors,
                    learned: learned.and_then(ask::to_go_on),
                    at,
                    thinks,
                }
            }
            Event::End { choice, text, reason } => {
                let column = &mut self.columns[choice];
                column.has_ended = true;
                let reason = match reason {
                    FinishReason::MaxTokens if self.is_cut => FinishReason::ContextFull,
                    reason => reason,
                };
                let finish = Finish::of(&reason, &self.engine);
                Written::End {
                    column: choice,
                    text,
                    words: finish.words(),
                    finish,
                    figures: Figures::over(&column.tokens, &column.draws),
                    timings: column.clock.timings(column.tokens.len()),
                }
            }
            // Thoughts are text like any other here.
            Event::Thought { .. }
            | Event::Whole { .. }
            | Event::Weighed { .. }
            | Event::Searched(_) => return Ok(Vec::new()),
            Event::Row(_) => {
                self.is_read = true;
                return Ok(Vec::new());
            }
            Event::Failed(problem) => return Err(problem),
        };
        Ok(vec![StreamEvent::Piece(written)])
    }

    fn is_complete(&self) -> bool {
        if self.columns.is_empty() {
            self.is_read
        } else {
            self.columns.iter().all(|column| column.has_ended)
        }
    }

    fn failed(&mut self, problem: &Problem) -> Self::Event {
        StreamEvent::Problem(problem.body())
    }
}

/// Answers which tokens a text has, without a forward pass.
pub(super) fn encode(shared: &Shared, fields: &mut Fields) -> Result<Vec<NamedToken>, Problem> {
    let subject = Subject::read(fields, shared)?;
    let (len, limit) = (subject.tokens.len(), shared.limit);
    if len > limit {
        return Err(ask::too_long(len, limit));
    }
    Ok(named(&shared.engine, &subject.tokens).collect())
}

/// Tokens with their texts.
fn named<'a>(engine: &'a Engine, tokens: &'a [TokenId]) -> impl Iterator<Item = NamedToken> + 'a {
    let mut texts = TextStream::default();
    tokens.iter().map(move |&id| NamedToken {
        id: id.0,
        text: texts.push(engine.tokenizer.bytes(id, false)),
        shown: token::shown(engine, id),
    })
}

impl Writing {
    /// The prompt's tokens from `from` on, with their logprobs; token 0 has none.
    fn read(&self, from: usize, scores: &[Scored]) -> Vec<ReadToken> {
        let unpredicted = (from == 0).then_some(None);
        let scores = unpredicted.into_iter().chain(scores.iter().map(Some));
        let one = |(token, scored): (NamedToken, Option<&Scored>)| ReadToken {
            token,
            surprisal: scored.map(|scored| -scored.logprob),
            entropy: scored.map(|scored| scored.entropy),
            rank: scored.map(|scored| scored.rank - 1),
        };
        named(&self.engine, &self.tokens).skip(from).zip(scores).map(one).collect()
    }
}
