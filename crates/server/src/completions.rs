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
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Shared,
    answers::Recipe,
    body::read_body,
    controls::{Bounds, Controls},
    fields::{Fields, shortened},
    forms::{self, Wanted},
    gate::RequestId,
    history,
    limits::MAX_LOGPROBS,
    problem::Problem,
    prompts::{self, Prompt, Reading, check_model},
    queue::{Event, Job},
    reply::{Choice, Echo, Reply, ResponseState, Shape},
    responses::{self, EchoedFields},
    scores::LogprobsStage,
    stream::streamed,
};

/// Default of the maximum number of new tokens of a chat's answer.
const CHAT_TOKENS: usize = 4096;
/// Default of the maximum number of new tokens of a completion: OpenAI's.
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
    let body = work.reply.whole();
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// An answer in progress.
struct Work {
    reply: Reply,
    stream: bool,
    /// The engine cancels the request when this is dropped.
    events: UnboundedReceiver<Event>,
}

/// The parameters of one route.
struct Asked {
    prompts: Vec<Prompt>,
    /// Number of top logprobs, if logprobs are requested.
    n_top: Option<usize>,
    /// Whether the prompt is part of the answer.
    echo: bool,
    /// The Responses API's own name for a form.
    form: Option<Wanted>,
    said: ResponseState,
}

/// Reads a whole request and validates it before anything is computed.
fn plan(
    shared: &Shared,
    id: &str,
    bytes: &[u8],
    shape: Shape,
    arrived: Instant,
) -> Result<(Work, Vec<Job>), Problem> {
    let mut fields = Fields::described(bytes, shape.request())?;
    check_model(&mut fields, &shared.names)?;
    let bounds = Bounds {
        tokenizer: &shared.engine.tokenizer,
        n_texts: shared.room.n_texts,
        recommended: shared.recommended.as_ref().filter(|_| shared.starts_recommended),
    };
    let noted = EchoedFields::of(&fields);
    let mut controls = Controls::read(&mut fields, bounds)?;
    let mut asked = match shape {
        Shape::Response => of_response(&mut fields, shared, &noted, &mut controls)?,
        Shape::Text => of_text(&mut fields, shared)?,
        Shape::Chat => of_chat(&mut fields, shared, &mut controls)?,
    };
    let by_other_name = forms::read(&mut fields)?;
    if let (Some(_), Some(other)) = (&asked.form, &by_other_name) {
        let message = format!("\"{}\" can't be given beside \"text.format\"", other.name);
        return Err(Problem::parameter(other.name, message));
    }
    let wanted = asked.form.take().or(by_other_name);
    fields.end()?;
    check(&controls, &asked)?;
    let (sender, events) = unbounded_channel();
    let from = Origin { shared, id, shape, arrived, sender };
    let jobs = jobs(&from, &controls, &asked, wanted.as_ref())?;
    let reply = reply(&from, &controls, asked);
    Ok((Work { reply, stream: controls.stream, events }, jobs))
}

/// Where a request came from and where its events go.
struct Origin<'a> {
    shared: &'a Shared,
    id: &'a str,
    shape: Shape,
    arrived: Instant,
    sender: UnboundedSender<Event>,
}

fn of_response(
    fields: &mut Fields,
    shared: &Shared,
    noted: &EchoedFields,
    controls: &mut Controls,
) -> Result<Asked, Problem> {
    if controls.chains.len() > 1 {
        let message = "a response has one text, so \"temperatures\" can't ask for more";
        return Err(Problem::parameter("temperatures", message));
    }
    let asked = responses::read(fields, shared, shared.limit, noted)?;
    controls.max_tokens = asked.max_tokens;
    let responses::Asked { prompt, n_top, form, said, .. } = asked;
    Ok(Asked { prompts: vec![prompt], n_top, echo: false, form, said })
}

fn of_text(fields: &mut Fields, shared: &Shared) -> Result<Asked, Problem> {
    let n_top = fields.whole("logprobs", 0..=MAX_LOGPROBS)?.map(|n| n as usize);
    let echo = fields.flag("echo")?;
    let (most, limit) = (shared.queue.capacity(), shared.limit);
    let reading = Reading { most, limit, offsets: echo && n_top.is_some() };
    let prompts = prompts::of_completion(fields, &shared.engine, reading)?;
    Ok(Asked { prompts, n_top, echo, form: None, said: ResponseState::default() })
}

fn of_chat(
    fields: &mut Fields,
    shared: &Shared,
    controls: &mut Controls,
) -> Result<Asked, Problem> {
    let prompts = vec![prompts::of_chat(fields, shared, shared.limit)?];
    if let Some(most) = fields.whole("max_completion_tokens", 0..=u64::from(u32::MAX))? {
        controls.max_tokens = Some(most as usize);
    }
    no_tools(fields)?;
    let n_top = chat_scores(fields)?;
    Ok(Asked { prompts, n_top, echo: false, form: None, said: ResponseState::default() })
}

/// Refuses parameters that contradict each other.
fn check(controls: &Controls, asked: &Asked) -> Result<(), Problem> {
    if controls.max_tokens == Some(0) && !asked.echo {
        return Err(Problem::parameter(
            "max_tokens",
            "\"max_tokens\" is 0, which asks for nothing: give at least 1, or \"echo\": true for \
             the prompt",
        ));
    }
    let stage = controls.stage;
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
fn jobs(
    from: &Origin<'_>,
    controls: &Controls,
    asked: &Asked,
    wanted: Option<&Wanted>,
) -> Result<Vec<Job>, Problem> {
    let choices_a_prompt = controls.chains.len() * controls.n;
    let room =
        |prompt| room_for(from.shared, prompt, controls.max_tokens, choices_a_prompt, from.shape);
    let lens = asked.prompts.iter().map(room).collect::<Result<Vec<usize>, _>>()?;
    let form = wanted.map(|wanted| forms::compile(from.shared, wanted)).transpose()?;
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
            ends: controls.ends(max_tokens, from.shared.limit)?,
            bans: Arc::clone(&controls.bans),
            prompt_logprobs: scored.map(|n_top| PromptLogprobs { from: 1, n_top }),
        };
        Ok(Job {
            id: from.id.to_string(),
            request,
            first_choice: i * choices_a_prompt,
            events: from.sender.clone(),
            arrived: from.arrived,
        })
    };
    asked.prompts.iter().zip(lens).enumerate().map(job).collect()
}

/// The empty reply.
fn reply(from: &Origin<'_>, controls: &Controls, asked: Asked) -> Reply {
    let (shared, id) = (from.shared, from.id);
    let choices_a_prompt = controls.chains.len() * controls.n;
    let n_choices = choices_a_prompt * asked.prompts.len();
    let recipe = Recipe {
        chains: controls.chains.iter().map(ToString::to_string).collect(),
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
        shape: from.shape,
        id: match from.shape {
            Shape::Chat => format!("chatcmpl-{id}"),
            Shape::Text => format!("cmpl-{id}"),
            Shape::Response => format!("resp_{id}"),
        },
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
        said: asked.said,
        choices: (0..n_choices).map(|_| Choice::default()).collect(),
        cached: 0,
    }
}

/// The maximum number of new tokens of each choice. Refuses a prompt that leaves no room.
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

/// Parameters of a chat that are accepted with these values only. They have no effect.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("tool_choice", &["\"none\"", "\"auto\""]),
    ("parallel_tool_calls", &["true", "false"]),
    ("function_call", &["\"none\"", "\"auto\""]),
    ("reasoning_effort", &["\"none\""]),
    ("verbosity", &["\"medium\""]),
    ("chat_template_kwargs", &["{}"]),
];

/// Accepts tool parameters that ask for nothing, and refuses others by name.
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
