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
    clock::Clock,
    figures::{Figures, Finish},
    token,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::ask::{self, Ask, Subject};
use crate::{
    Shared,
    body::read_body,
    fields::{Fields, wrong},
    gate::RequestId,
    limits::MAX_COLUMNS,
    problem::Problem,
    queue::{Event, Job},
    scores::LogprobsStage,
    stream::{DONE, Teller, streamed},
};

/// Tokens of a column where nobody said.
const TOKENS: u64 = 48;

/// Continues a text in every column's way, as a stream of events.
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

/// A stream in the making.
struct Writing {
    engine: Arc<Engine>,
    tokens: Vec<TokenId>,
    n_prompt: usize,
    /// Whether the tokens that were read are told, with their figures.
    tells_read: bool,
    /// Whether the columns have less room than they were asked to write.
    is_cut: bool,
    /// Whether a job that only reads has read all.
    is_read: bool,
    columns: Vec<Column>,
}

/// What one column has written so far.
struct Column {
    clock: Clock,
    tokens: Vec<TokenId>,
    draws: Vec<Draw>,
    has_ended: bool,
}

/// Reads a request to its end, and refuses it before anything is computed.
fn plan(
    shared: &Shared,
    id: &str,
    bytes: &[u8],
) -> Result<(Job, Writing, UnboundedReceiver<Event>), Problem> {
    let mut fields = Fields::parse(bytes)?;
    let subject = Subject::read(&mut fields, shared)?;
    let asked = fields.whole("max_tokens", 1..=u64::from(u32::MAX))?.unwrap_or(TOKENS) as usize;
    let tells_read = fields.flag("tokens")?;
    let drafts = drafts(&mut fields, shared, &subject)?;
    // It can't be had otherwise.
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
        let message = format!("the text has {len} tokens, but the context has room for {limit}");
        return Err(Problem::context("prompt", message));
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
    let column = |_: &Draft| Column {
        clock: Clock::start(),
        tokens: Vec::new(),
        draws: Vec::new(),
        has_ended: false,
    };
    let (sender, events) = unbounded_channel();
    let writing = Writing {
        engine: Arc::clone(&shared.engine),
        n_prompt: len - subject.taken().len(),
        tokens: subject.tokens.clone(),
        tells_read,
        is_cut: max_tokens < asked,
        is_read: false,
        columns: drafts.iter().map(column).collect(),
    };
    let job = Job {
        id: id.to_string(),
        request: batch::Request {
            prompt: subject.tokens,
            drafts,
            ends: Ends { max_tokens, limit, ..Ends::default() },
            bans: Arc::new([]),
            prompt_logprobs: tells_read.then_some(PromptLogprobs { from: 1, n_top: 0 }),
        },
        first_choice: 0,
        events: sender,
        arrived: Instant::now(),
    };
    Ok((job, writing, events))
}

/// `columns`: a list of objects that say how to draw, as the other routes' bodies do.
fn drafts(fields: &mut Fields, shared: &Shared, subject: &Subject) -> Result<Vec<Draft>, Problem> {
    let most = MAX_COLUMNS.min(shared.room.n_texts);
    let value = fields.take("columns").unwrap_or_else(|| json!([]));
    let expected = format!("a list of at most {most} objects");
    let items = value.as_array().filter(|items| items.len() <= most);
    let items = items.ok_or_else(|| wrong("columns", &value, &expected))?;
    let one = |item: &Value| {
        let Value::Object(map) = item else { return Err(wrong("columns", item, &expected)) };
        let mut fields = Fields::of(map.clone());
        let ask = Ask::read(&mut fields, &shared.engine.tokenizer)?;
        fields.end()?;
        if ask.uniform {
            return Err(Problem::parameter(
                "temperature",
                "nothing is drawn at T = ∞: that is a limit for looking at",
            ));
        }
        let logprobs = Some(LogprobsStage::Raw.logprobs(0, &ask.chain));
        let state = subject.state(&ask);
        let mut sampler = Sampler::new(ask.chain, ask.dice);
        sampler.set_state(state);
        Ok(Draft { logprobs, ..Draft::new(sampler) })
    };
    items.iter().map(one).collect()
}

impl Teller for Writing {
    fn opening(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn tell(&mut self, event: Event) -> Result<Vec<Value>, Problem> {
        Ok(vec![match event {
            Event::Read { cached, scores, .. } => {
                self.columns.iter_mut().for_each(|column| column.clock.prompt_read());
                let mut read = json!({ "n_tokens": self.tokens.len(), "cached_tokens": cached, "n_prompt": self.n_prompt });
                if self.tells_read {
                    read["tokens"] = self.read(&scores);
                }
                json!({ "read": read })
            }
            Event::Token { choice, text, draw, scored, learned } => {
                let column = &mut self.columns[choice];
                column.clock.token();
                column.tokens.push(draw.token);
                column.draws.push(draw);
                json!({ "token": {
                    "column": choice,
                    "id": draw.token.0,
                    "text": text,
                    "shown": token::shown(&self.engine, draw.token),
                    "surprisal": draw.surprisal,
                    "surprisal_final": draw.surprisal_final,
                    "entropy": draw.entropy,
                    "entropy_final": draw.entropy_final,
                    "rank": scored.map(|scored| scored.rank - 1),
                    "survivors": draw.survivors,
                    "learned": learned.and_then(ask::to_go_on),
                }})
            }
            Event::End { choice, text, reason } => {
                let column = &mut self.columns[choice];
                column.has_ended = true;
                let reason = match reason {
                    FinishReason::MaxTokens if self.is_cut => FinishReason::ContextFull,
                    reason => reason,
                };
                let finish = Finish::of(&reason, &self.engine);
                json!({ "end": {
                    "column": choice,
                    "text": text,
                    "words": finish.words(),
                    "finish": finish,
                    "figures": Figures::over(&column.tokens, &column.draws),
                    "timings": column.clock.timings(column.tokens.len()),
                }})
            }
            Event::Row(_) => {
                self.is_read = true;
                return Ok(Vec::new());
            }
            Event::Failed(problem) => return Err(problem),
        }])
    }

    fn is_complete(&self) -> bool {
        if self.columns.is_empty() {
            self.is_read
        } else {
            self.columns.iter().all(|column| column.has_ended)
        }
    }

    fn closing(&mut self) -> Vec<Value> {
        vec![DONE.into()]
    }

    fn failed(&mut self, problem: &Problem) -> Value {
        problem.body()
    }
}

impl Writing {
    /// The tokens that were read; nothing predicts the first.
    fn read(&self, scores: &[Scored]) -> Value {
        let mut texts = TextStream::default();
        let scores = std::iter::once(None).chain(scores.iter().map(Some));
        let one = |(&id, scored): (&TokenId, Option<&Scored>)| {
            json!({
                "id": id.0,
                "text": texts.push(self.engine.tokenizer.bytes(id, false)),
                "shown": token::shown(&self.engine, id),
                "surprisal": scored.map(|scored| -scored.logprob),
                "entropy": scored.map(|scored| scored.entropy),
                "rank": scored.map(|scored| scored.rank - 1),
            })
        };
        self.tokens.iter().zip(scores).map(one).collect()
    }
}
