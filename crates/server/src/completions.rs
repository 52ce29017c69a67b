//! The completion routes: `/v1/completions`, `/v1/chat/completions`, `/v1/responses`.
//!
//! A request is parsed and validated, its jobs are queued for the engine thread, and the reply is
//! sent as a whole or as a stream of events.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use kelvin_engine::batch::{self, Draft, GenerateError, PromptLogprobs, pages};
use kelvin_sampling::Sampler;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    Shared,
    body::read_body,
    controls::{Bounds, Controls},
    fields::{Fields, shortened},
    forms,
    gate::RequestId,
    history,
    limits::MAX_LOGPROBS,
    problem::Problem,
    prompts::{self, Prompt, Reading, check_model},
    queue::{Event, Job},
    reply::{Choice, Echo, Reply, ResponseState, Shape, recipe},
    responses::{self, EchoedFields},
    scores::LogprobsStage,
    stream::streamed,
};

/// New tokens of a chat's answer at most, where nobody said.
const CHAT_TOKENS: usize = 4096;
/// New tokens of a completion where nobody said: OpenAI's number.
const TEXT_TOKENS: usize = 16;

/// `/v1/completions`.
pub(crate) async fn text(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    complete(shared, id, request, Shape::Text).await
}

/// `/v1/chat/completions`.
pub(crate) async fn chat(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    complete(shared, id, request, Shape::Chat).await
}

/// `/v1/responses`.
pub(crate) async fn responses(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    complete(shared, id, request, Shape::Response).await
}

async fn complete(
    shared: Arc<Shared>,
    id: RequestId,
    request: axum::extract::Request,
    shape: Shape,
) -> Result<Response, Problem> {
    let arrived = Instant::now();
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    // Tokenizing and templates take their time, which others needn't wait for.
    let (mut work, jobs) =
        shared.work_on(read, move |bytes| plan(&for_work, &id.0, bytes, shape, arrived)).await?;
    shared.queue.push(jobs)?;
    if work.stream {
        return Ok(streamed(work.reply, work.events, Arc::clone(&shared.metrics)));
    }
    while !work.reply.is_complete() {
        let event = work.events.recv().await;
        work.reply.take(event.unwrap_or_else(|| Event::Failed(gone())))?;
    }
    let body = work.reply.whole().to_string();
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// An answer that comes about.
struct Work {
    reply: Reply,
    stream: bool,
    /// When it's dropped, the engine stops.
    events: UnboundedReceiver<Event>,
}

/// Reads a request to its end, and refuses it before anything is computed.
fn plan(
    shared: &Shared,
    id: &str,
    bytes: &[u8],
    shape: Shape,
    arrived: Instant,
) -> Result<(Work, Vec<Job>), Problem> {
    let engine = &shared.engine;
    let mut fields = Fields::described(bytes, shape.request())?;
    check_model(&mut fields, &shared.names)?;
    let bounds = Bounds {
        tokenizer: &engine.tokenizer,
        n_texts: shared.room.n_texts,
        recommended: shared.recommended.as_ref().filter(|_| shared.starts_recommended),
    };
    let noted = EchoedFields::of(&fields);
    let mut controls = Controls::read(&mut fields, bounds)?;
    let (mut said, mut form) = (ResponseState::default(), None);
    let (prompts, n_top, echo) = match shape {
        Shape::Response => {
            if controls.chains.len() > 1 {
                let message = "a response has one text, so \"temperatures\" can't ask for more";
                return Err(Problem::parameter("temperatures", message));
            }
            let asked = responses::read(&mut fields, shared, shared.limit, &noted)?;
            controls.max_tokens = asked.max_tokens;
            (said, form) = (asked.said, asked.form);
            (vec![asked.prompt], asked.n_top, false)
        }
        Shape::Text => {
            let n_top = fields.whole("logprobs", 0..=MAX_LOGPROBS)?.map(|n| n as usize);
            let echo = fields.flag("echo")?;
            let (most, limit) = (shared.queue.capacity(), shared.limit);
            let reading = Reading { most, limit, offsets: echo && n_top.is_some() };
            (prompts::of_completion(&mut fields, engine, reading)?, n_top, echo)
        }
        Shape::Chat => {
            let prompt = prompts::of_chat(&mut fields, shared, shared.limit)?;
            if let Some(most) = fields.whole("max_completion_tokens", 0..=u64::from(u32::MAX))? {
                controls.max_tokens = Some(most as usize);
            }
            no_tools(&mut fields)?;
            (vec![prompt], chat_scores(&mut fields)?, false)
        }
    };
    let by_other_name = forms::read(&mut fields)?;
    if let (Some(_), Some(other)) = (&form, &by_other_name) {
        let message = format!("\"{}\" can't be given beside \"text.format\"", other.name);
        return Err(Problem::parameter(other.name, message));
    }
    let form = form.or(by_other_name);
    fields.end()?;
    if controls.max_tokens == Some(0) && !echo {
        return Err(Problem::parameter(
            "max_tokens",
            "\"max_tokens\" is 0, which asks for nothing: give at least 1, or \"echo\": true for \
             the prompt",
        ));
    }
    let stage = controls.stage;
    if stage != LogprobsStage::Raw && (n_top.is_none() || echo) {
        let message = format!(
            "\"logprobs_stage\" \"{}\" needs \"logprobs\", and can't be given with \"echo\": a \
             prompt isn't drawn",
            stage.name()
        );
        return Err(Problem::parameter("logprobs_stage", message));
    }
    let choices_a_prompt = controls.chains.len() * controls.n;
    let lens = prompts
        .iter()
        .map(|prompt| room_for(shared, prompt, controls.max_tokens, choices_a_prompt, shape));
    let lens: Vec<usize> = lens.collect::<Result<_, _>>()?;
    let form = form.map(|wanted| forms::compile(shared, &wanted)).transpose()?;
    let (sender, events) = unbounded_channel();
    let mut jobs = Vec::new();
    let draft = |sampler: Sampler| {
        let logprobs = n_top.map(|n_top| stage.logprobs(n_top, sampler.chain()));
        let constraint = form.as_ref().map(|form| form.fork());
        Draft { constraint, logprobs, ..Draft::new(sampler) }
    };
    for (i, (prompt, max_tokens)) in prompts.iter().zip(lens).enumerate() {
        let scored = n_top.filter(|_| echo).max(controls.prompt_logprobs);
        let request = batch::Request {
            prompt: prompt.tokens.clone(),
            drafts: controls.samplers().into_iter().map(draft).collect(),
            ends: controls.ends(max_tokens, shared.limit)?,
            bans: Arc::clone(&controls.bans),
            prompt_logprobs: scored.map(|n_top| PromptLogprobs { from: 1, n_top }),
        };
        jobs.push(Job {
            id: id.to_string(),
            request,
            first_choice: i * choices_a_prompt,
            events: sender.clone(),
            arrived,
        });
    }
    let prefix = match shape {
        Shape::Chat => "chatcmpl",
        Shape::Text => "cmpl",
        Shape::Response => "resp",
    };
    let chains: Vec<String> = controls.chains.iter().map(ToString::to_string).collect();
    let n_choices = choices_a_prompt * prompts.len();
    let date = prompts.iter().find_map(|prompt| prompt.date.clone());
    let echo = |prompt: Prompt| Echo {
        tokens: prompt.tokens,
        text: echo.then_some(prompt.text),
        offsets: prompt.offsets,
        scores: Vec::new(),
    };
    let reply = Reply {
        engine: Arc::clone(engine),
        shape,
        id: if shape == Shape::Response {
            format!("{prefix}_{id}")
        } else {
            format!("{prefix}-{id}")
        },
        created: shared.now(),
        model: shared.names[0].clone(),
        n_top,
        stage,
        prompt_logprobs: controls.prompt_logprobs,
        return_ids: controls.return_ids,
        prompts: prompts.into_iter().map(echo).collect(),
        choices_a_prompt,
        include_usage: controls.include_usage,
        recipe: recipe(controls.seed, &chains, date.as_deref()),
        said,
        choices: (0..n_choices).map(|_| Choice::default()).collect(),
        cached: 0,
    };
    Ok((Work { reply, stream: controls.stream, events }, jobs))
}

/// How many new tokens each choice may have; a prompt that leaves no room for them is refused.
fn room_for(
    shared: &Shared,
    prompt: &Prompt,
    asked: Option<usize>,
    n_choices: usize,
    shape: Shape,
) -> Result<usize, Problem> {
    let name = match shape {
        Shape::Chat => "messages",
        Shape::Text => "prompt",
        Shape::Response => "input",
    };
    let (len, limit) = (prompt.tokens.len(), shared.limit);
    if len == 0 {
        return Err(Problem::parameter(name, GenerateError::EmptyPrompt.to_string()));
    }
    if len >= limit {
        return Err(Problem::context(
            name,
            GenerateError::PromptTooLong { len, limit }.to_string(),
        ));
    }
    let max_tokens = match asked {
        Some(asked) if len + asked > limit => {
            let message = format!(
                "the prompt has {len} tokens and {asked} new ones were asked for, but the context \
                 has room for {limit}"
            );
            return Err(Problem::context(name, message));
        }
        Some(asked) => asked,
        None if shape != Shape::Text => CHAT_TOKENS.min(limit - len),
        None => TEXT_TOKENS.min(limit - len),
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

fn chat_scores(fields: &mut Fields) -> Result<Option<usize>, Problem> {
    let scores = fields.flag("logprobs")?;
    match fields.whole("top_logprobs", 0..=MAX_LOGPROBS)? {
        Some(1..) if !scores => Err(Problem::parameter(
            "top_logprobs",
            "\"top_logprobs\" needs \"logprobs\": true beside it",
        )),
        n_top => Ok(scores.then_some(n_top.unwrap_or(0) as usize)),
    }
}

/// Parameters of a chat that may say what is so anyway, and with which values.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("tool_choice", &["\"none\"", "\"auto\""]),
    ("parallel_tool_calls", &["true", "false"]),
    ("function_call", &["\"none\"", "\"auto\""]),
    ("reasoning_effort", &["\"none\""]),
    ("verbosity", &["\"medium\""]),
    ("chat_template_kwargs", &["{}"]),
];

/// What says "nothing special" may be said; what asks for more is refused by name.
fn no_tools(fields: &mut Fields) -> Result<(), Problem> {
    for name in ["tools", "functions"] {
        if let Some(tools) = fields.take(name).filter(|tools| *tools != serde_json::json!([])) {
            return Err(history::no_tools(
                name,
                &format!("\"{name}\" is {}", shortened(&tools.to_string())),
            ));
        }
    }
    fields.as_it_is(AS_IT_IS)
}

fn gone() -> Problem {
    Problem::failed("the engine ended before the answer was complete")
}
