//! The completion routes: `/v1/completions`, `/v1/chat/completions`, `/v1/responses`.
//!
//! A request is parsed and validated, its jobs are queued for the engine thread, and the reply is
//! sent as a whole or as a stream of events.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use kelvin_engine::{
    batch::{self, Draft, PromptLogprobs, pages},
    texts::TextTemp,
};
use kelvin_sampling::{Chain, Sampler};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Shared,
    answers::Recipe,
    apis::{Api, Asked},
    body::read_body,
    fields,
    forms::Wanted,
    gate::RequestId,
    problem::Problem,
    prompts::{Prompt, left_after},
    queue::{Event, Job},
    reply::{Choice, Echo, Reply},
    scores::LogprobsStage,
    stream::streamed,
    whole::{self, Whole},
};

/// Answers a request in the format of an API.
pub(crate) async fn complete<A: Api>(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let arrived = Instant::now();
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    // Tokenizing and templates take their time, which others needn't wait for.
    let (mut work, jobs) =
        shared.work_on(read, move |bytes| plan::<A>(&for_work, &id.0, bytes, arrived)).await?;
    shared.queue.push(jobs)?;
    if work.stream {
        return Ok(streamed(work.answer, work.events, Arc::clone(&shared.metrics)));
    }
    while !work.answer.is_complete() {
        let event = work.events.recv().await;
        work.answer.take(event.unwrap_or_else(|| Event::Failed(Problem::gone())))?;
    }
    Ok(Json(work.answer.whole()).into_response())
}

/// An answer in progress.
struct Work<A> {
    answer: A,
    stream: bool,
    /// The engine cancels the request when this is dropped.
    events: UnboundedReceiver<Event>,
}

/// Reads a whole request and validates it before anything is computed.
fn plan<A: Api>(
    shared: &Shared,
    id: &str,
    bytes: &[u8],
    arrived: Instant,
) -> Result<(Work<A>, Vec<Job>), Problem> {
    let (asked, repeated) = A::asked(fields::request(bytes, shared.bounds())?, shared)?;
    check(&asked)?;
    let (sender, events) = unbounded_channel();
    let from = Origin { shared, id, arrived, sender };
    let jobs = jobs::<A>(&from, &asked)?;
    let stream = asked.controls.stream;
    let answer = A::begin(reply::<A>(&from, asked), repeated);
    Ok((Work { answer, stream, events }, jobs))
}

/// Where a request came from and where its events go.
struct Origin<'a> {
    shared: &'a Shared,
    id: &'a str,
    arrived: Instant,
    sender: UnboundedSender<Event>,
}

/// Refuses parameters that contradict each other.
fn check(asked: &Asked) -> Result<(), Problem> {
    if asked.max_tokens == Some(0) && !asked.echo {
        return Err(Problem::parameter(
            "max_tokens",
            "\"max_tokens\" is 0, which asks for nothing: give at least 1, or \"echo\": true for \
             the prompt",
        ));
    }
    if asked.controls.texts.is_some() {
        // Other rows than those of the text were drawn from as well.
        if asked.n_top.is_some() {
            return Err(whole::beside("logprobs"));
        }
        if asked.wanted.is_some() {
            return Err(whole::beside("response_format"));
        }
        if asked.max_tokens == Some(0) {
            let message = "\"max_tokens\" is 0, but a text has at least one token";
            return Err(Problem::parameter("max_tokens", message));
        }
    }
    let stage = asked.controls.stage;
    let within = matches!(stage, LogprobsStage::Temperature | LogprobsStage::Truncation);
    if within && asked.controls.chains.iter().any(Chain::is_schedule) {
        let message = format!(
            "\"logprobs_stage\" \"{}\" is another stage in each chain of a schedule; give \"raw\" \
             or \"final\"",
            stage.name()
        );
        return Err(Problem::parameter("logprobs_stage", message));
    }
    if stage != LogprobsStage::Raw && (asked.n_top.is_none() || asked.echo) {
        let message = format!(
            "\"logprobs_stage\" \"{}\" needs \"logprobs\", and can't be given with \"echo\": a \
             prompt isn't drawn",
            stage.name()
        );
        return Err(Problem::parameter("logprobs_stage", message));
    }
    Ok(())
}

/// A job for each prompt, with a draft for each of its choices.
fn jobs<A: Api>(from: &Origin<'_>, asked: &Asked) -> Result<Vec<Job>, Problem> {
    let controls = &asked.controls;
    if let Some(texts) = controls.texts {
        return whole_jobs::<A>(from, asked, texts);
    }
    let choices_a_prompt = controls.chains.len() * controls.n;
    let room = |prompt| room_for::<A>(from.shared, prompt, asked.max_tokens, choices_a_prompt);
    let lens = asked.prompts.iter().map(room).collect::<Result<Vec<usize>, _>>()?;
    let form = Wanted::compiled(asked.wanted.as_ref(), &controls.chains, from.shared)?;
    let draft = |sampler: Sampler| {
        let logprobs = asked.n_top.map(|n_top| controls.stage.logprobs(n_top, sampler.chain()));
        let constraint = form.as_ref().map(|form| form.fork());
        Draft { constraint, logprobs, ..Draft::new(sampler) }
    };
    let scored = asked.n_top.filter(|_| asked.echo).max(controls.prompt_logprobs);
    let job = |(i, (prompt, max_tokens)): (usize, (&Prompt, usize))| {
        let request = batch::Request {
            prompt: prompt.tokens.clone(),
            drafts: controls.samplers().into_iter().map(draft).collect(),
            ends: controls.ends(max_tokens, from.shared.limit, A::KEEPS_THOUGHTS_APART)?,
            bans: Arc::clone(&controls.bans),
            prompt_logprobs: scored.map(|n_top| PromptLogprobs { from: 1, n_top }),
        };
        Ok(Job {
            id: from.id.to_string(),
            request,
            whole: None,
            first_choice: i * choices_a_prompt,
            events: from.sender.clone(),
            arrived: from.arrived,
        })
    };
    asked.prompts.iter().zip(lens).enumerate().map(job).collect()
}

/// A job for each prompt, whose choices are drawn as a whole.
fn whole_jobs<A: Api>(
    from: &Origin<'_>,
    asked: &Asked,
    texts: TextTemp,
) -> Result<Vec<Job>, Problem> {
    let (shared, controls) = (from.shared, &asked.controls);
    let job = |(i, prompt): (usize, &Prompt)| {
        let max_tokens = room_for::<A>(shared, prompt, asked.max_tokens, 1)?;
        let len = prompt.tokens.len();
        let room = (shared.room, shared.limit);
        let whole = whole::of_prompt(texts, controls.dice(), (len, max_tokens), room)?;
        let ends = controls.ends(max_tokens, shared.limit, A::KEEPS_THOUGHTS_APART)?;
        Ok(Job {
            id: from.id.to_string(),
            request: batch::Request {
                ends,
                ..batch::Request::new(prompt.tokens.clone(), Vec::new())
            },
            whole: Some(Whole::Texts(whole)),
            first_choice: i * controls.n,
            events: from.sender.clone(),
            arrived: from.arrived,
        })
    };
    asked.prompts.iter().enumerate().map(job).collect()
}

/// The empty reply.
fn reply<A: Api>(from: &Origin<'_>, asked: Asked) -> Reply {
    let (shared, controls) = (from.shared, asked.controls);
    let choices_a_prompt = controls.chains.len() * controls.n;
    let n_choices = choices_a_prompt * asked.prompts.len();
    let recipe = Recipe {
        chains: match controls.texts {
            Some(texts) => vec![texts.to_string()],
            None => controls.chains.iter().map(ToString::to_string).collect(),
        },
        date: asked.prompts.iter().find_map(|prompt| prompt.date.clone()),
        seed: controls.seed,
    };
    let echo = |prompt: Prompt| Echo {
        tokens: prompt.tokens,
        text: asked.echo.then_some(prompt.text),
        offsets: prompt.offsets,
        scores: Vec::new(),
    };
    Reply {
        engine: Arc::clone(&shared.engine),
        id: format!("{}{}", A::ID, from.id),
        created: shared.now(),
        model: shared.names[0].clone(),
        n_top: asked.n_top,
        stage: controls.stage,
        prompt_logprobs: controls.prompt_logprobs,
        return_ids: controls.return_ids,
        prompts: asked.prompts.into_iter().map(echo).collect(),
        choices_a_prompt,
        include_usage: controls.include_usage,
        recipe,
        choices: (0..n_choices).map(|_| Choice::default()).collect(),
        cached: 0,
    }
}

/// The maximum number of new tokens of each choice. Refuses a prompt that leaves no room.
fn room_for<A: Api>(
    shared: &Shared,
    prompt: &Prompt,
    asked: Option<usize>,
    n_choices: usize,
) -> Result<usize, Problem> {
    let name = A::PROMPT;
    let (len, limit) = (prompt.tokens.len(), shared.limit);
    let left = left_after(len, limit, name)?;
    let max_tokens = match asked {
        Some(asked) if asked > left => {
            let message = format!(
                "the prompt has {len} tokens and {asked} new ones were asked for, but the context \
                 has room for {limit}"
            );
            return Err(Problem::context(name, message));
        }
        Some(asked) => asked,
        None => A::MAX_TOKENS.min(left),
    };
    if pages(len, n_choices, max_tokens) > shared.room.n_pages {
        let (needed, most) = (len + n_choices * max_tokens, shared.room.n_tokens());
        let message = format!(
            "{n_choices} choices of {max_tokens} tokens after a prompt of {len} may need room for \
             {needed}, but there is room for {most}"
        );
        return Err(Problem::context("max_tokens", message));
    }
    Ok(max_tokens)
}
