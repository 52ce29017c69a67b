//! The route `/v1/decisions`: questions about a text, answered with probabilities.
//!
//! Each question is a prompt for each rotation of its options. The engine thread reads them in
//! waves of as many as run at once, and the logits after each become a reading.

use std::{sync::Arc, time::Instant};

use axum::{Extension, Json, extract::State};
use kelvin_engine::{
    TokenId,
    batch::Request,
    chat::Message,
    decide::{Decision, Form, Kind, Labels, Reading, Settings, SettingsError},
};
use kelvin_views::decision::Answer;
use tokio::sync::mpsc::unbounded_channel;

use super::{
    Shared,
    answers::{DecisionInputDetails, DecisionOutputDetails, DecisionUsage, Decisions},
    body::read_body,
    fields,
    gate::RequestId,
    limits::MAX_DECISION_PROMPTS,
    problem::Problem,
    prompts::{check_model, of_messages, readable},
    queue::{Event, Job},
    requests::{Asked, ChatDate, DecisionRequest},
};

/// Answers a request.
pub(crate) async fn decide(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Json<Decisions>, Problem> {
    let arrived = Instant::now();
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let plan = shared
        .work_on(read, move |bytes| plan(&for_work, fields::request(bytes, for_work.bounds())?));
    let plan = Arc::new(plan.await?);
    let (mut readings, mut cached) = (Vec::new(), 0);
    let at_once = shared.room.n_texts.min(shared.queue.capacity()).max(1);
    while readings.len() < plan.prompts.len() {
        let wave = readings.len()..plan.prompts.len().min(readings.len() + at_once);
        let (rows, found) = rows(&shared, &id.0, &plan.prompts[wave.clone()], arrived).await?;
        cached += found;
        let for_work = Arc::clone(&plan);
        let read = shared.work(move || {
            let pairs = for_work.prompts[wave].iter().zip(rows);
            pairs.map(|(prompt, row)| for_work.read(prompt, &row)).collect::<Result<Vec<_>, _>>()
        });
        readings.extend(read.await?);
    }
    Ok(Json(Decisions {
        answers: answers(&plan, readings)?,
        model: shared.names[0].clone(),
        usage: usage(&plan.prompts, cached),
    }))
}

/// A request before anything is computed.
struct Plan {
    questions: Vec<Planned>,
    prompts: Vec<Prompt>,
}

struct Planned {
    name: Option<String>,
    form: Form,
    temperature: f64,
    n_prompts: usize,
}

/// A question with its options in one order.
struct Prompt {
    question: usize,
    order: Vec<usize>,
    tokens: Vec<TokenId>,
}

impl Plan {
    fn read(&self, prompt: &Prompt, row: &[f32]) -> Result<Reading, Problem> {
        let form = &self.questions[prompt.question].form;
        form.read(row, &prompt.order).map_err(|error| Problem::failed(error.to_string()))
    }
}

/// Makes prompts of a request, and validates it before anything is computed.
fn plan(shared: &Shared, request: DecisionRequest) -> Result<Plan, Problem> {
    check_model(request.model.as_ref(), &shared.names)?;
    let settings = Settings {
        layout: request.layout.map(|name| name.0),
        rotations: request.rotations.map(|n| n.get()),
        temperature: request.temperature.map(|heat| heat.0),
    };
    let fitted = shared.calibration.as_ref();
    let chat = shared.engine.template.is_some();
    let refused = |error: SettingsError| Problem::parameter(error.setting(), error.to_string());
    settings.check(fitted, chat).map_err(refused)?;
    let (layout, rotations) = (settings.layout(fitted), settings.rotations(fitted));
    let tokenizer = &shared.engine.tokenizer;
    let labels = shared.labels.get_or_init(|| Labels::new(tokenizer));
    let (mut questions, mut prompts) = (Vec::new(), Vec::new());
    // A question may be about nothing but itself.
    let about = Some(&*request.input.0).filter(|text| !text.is_empty());
    for (at, Asked { name, question }) in request.questions.0.into_iter().enumerate() {
        let place = format!("questions[{at}]");
        let temperature = temperature(&settings, shared, question.kind(), &place)?;
        let form = Form::new(tokenizer, labels, question)
            .map_err(|error| Problem::parameter(&place, format!("\"{place}\": {error}")))?;
        let orders = form.question().orders(rotations);
        if prompts.len() + orders.len() > MAX_DECISION_PROMPTS {
            let message = format!(
                "the questions with their rotations are more than {MAX_DECISION_PROMPTS} prompts, \
                 the most of a request: ask fewer, or with fewer rotations"
            );
            return Err(Problem::parameter("questions", message));
        }
        let n_prompts = orders.len();
        for order in orders {
            let text = form.prompt(about, &order, layout, !chat);
            let tokens = tokens(shared, text, chat, request.date.as_ref())?;
            prompts.push(Prompt { question: at, order, tokens });
        }
        questions.push(Planned { name, form, temperature, n_prompts });
    }
    Ok(Plan { questions, prompts })
}

fn temperature(
    settings: &Settings,
    shared: &Shared,
    kind: Kind,
    place: &str,
) -> Result<f64, Problem> {
    let found = settings.temperature(shared.calibration.as_ref(), kind);
    found.map_err(|error| Problem::parameter(place, error.to_string()))
}

/// The tokens of a prompt, in the chat template if the model has one.
fn tokens(
    shared: &Shared,
    text: String,
    chat: bool,
    date: Option<&ChatDate>,
) -> Result<Vec<TokenId>, Problem> {
    let limit = shared.limit;
    let tokens = if chat {
        let date = date.map(|date| ChatDate(date.0.clone()));
        of_messages(&[Message::new("user", text)], date, shared, limit, "input")?.tokens
    } else {
        readable("input", &shared.engine, &text, false)?;
        shared.engine.tokenizer.encode(&text, true, false)
    };
    match tokens.len() {
        0 => Err(Problem::parameter("input", "the prompt has no tokens")),
        len if len > limit => {
            let message = format!(
                "a question's prompt has {len} tokens, but the context has room for {limit}"
            );
            Err(Problem::context("input", message))
        }
        _ => Ok(tokens),
    }
}

/// The logits after each of some prompts, and how many of their tokens were in the prefix cache.
async fn rows(
    shared: &Shared,
    id: &str,
    prompts: &[Prompt],
    arrived: Instant,
) -> Result<(Vec<Vec<f32>>, usize), Problem> {
    let (sender, mut events) = unbounded_channel();
    let job = |(at, prompt): (usize, &Prompt)| Job {
        id: id.to_string(),
        request: Request::new(prompt.tokens.clone(), Vec::new()),
        whole: None,
        first_choice: at,
        events: sender.clone(),
        arrived,
    };
    shared.queue.push(prompts.iter().enumerate().map(job).collect())?;
    drop(sender);
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); prompts.len()];
    let (mut at, mut n_read, mut n_cached) = (0, 0, 0);
    while n_read < prompts.len() {
        match events.recv().await {
            // A prompt's row follows its first event.
            Some(Event::Read { first_choice, cached, .. }) => {
                (at, n_cached) = (first_choice, n_cached + cached);
            }
            Some(Event::Row(row)) => {
                rows[at] = row;
                n_read += 1;
            }
            Some(Event::Failed(problem)) => return Err(problem),
            Some(_) => {}
            None => return Err(Problem::gone()),
        }
    }
    Ok((rows, n_cached))
}

fn answers(plan: &Plan, readings: Vec<Reading>) -> Result<Vec<Answer>, Problem> {
    let mut readings = readings.into_iter();
    let mut answers = Vec::with_capacity(plan.questions.len());
    for Planned { name, form, temperature, n_prompts } in &plan.questions {
        let decision = Decision::of(readings.by_ref().take(*n_prompts).collect());
        let decision = decision.map_err(|error| Problem::failed(error.to_string()))?;
        answers.push(Answer::new(name.clone(), form, &decision, *temperature));
    }
    Ok(answers)
}

fn usage(prompts: &[Prompt], cached_tokens: usize) -> DecisionUsage {
    let input_tokens = prompts.iter().map(|prompt| prompt.tokens.len()).sum();
    DecisionUsage {
        input_tokens,
        input_tokens_details: DecisionInputDetails { cached_tokens, cache_write_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: DecisionOutputDetails { reasoning_tokens: 0 },
        total_tokens: input_tokens,
    }
}
