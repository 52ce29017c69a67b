//! The route `/v1/search`: the likeliest texts after a prompt, different likely ones, or the best
//! of texts that were drawn.
//!
//! Beams are one job that owns its texts (`whole`). Texts that are drawn and ranked are ordinary
//! texts of the batch, as many at once as run there.

use std::{sync::Arc, time::Instant};

use axum::{Extension, Json, extract::State};
use kelvin_engine::{
    Engine, TokenId,
    batch::{self, Budget, pages},
    generate::{Ends, FinishReason},
    search::{
        Drawn, Method, Outcome, Plan, Runs, SearchError, Task, Wanted, Watched, best_of, chrf,
        minimum_risk,
    },
};
use kelvin_sampling::{Chain, Dice, Sampler, Temp};
use kelvin_views::search::{self as rows, CHRF, Ending, NodeRow, Settings, TextRow};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Shared,
    answers::{PromptTokensDetails, Searched, Usage},
    body::read_body,
    controls::whole,
    fields,
    gate::RequestId,
    limits::MAX_SEARCH_NODES,
    problem::Problem,
    prompts::{Prompt, Reading, check_model, of_completion, of_messages},
    queue::{Event, Job},
    requests::SearchRequest,
    whole::{BeamSearch, Whole},
};

/// Default of `max_tokens`.
const TOKENS: usize = 40;

/// Answers a request.
pub(crate) async fn search(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Json<Searched>, Problem> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let plan = shared.work_on(read, move |bytes| {
        let request = fields::request(bytes, for_work.bounds())?;
        Asked::of(request, &for_work)
    });
    let asked = plan.await?;
    let (sender, mut events) = unbounded_channel();
    let (jobs, watched) = asked.jobs(&id.0, sender);
    shared.queue.push(jobs)?;
    let came = asked.wait(&mut events).await?;
    let for_work = Arc::clone(&shared);
    let answer = shared.work(move || asked.answer(&for_work, came, &watched)).await?;
    Ok(Json(answer))
}

/// A request before anything is computed.
struct Asked {
    plan: Plan,
    prompt: Prompt,
    chain: Chain,
    seed: u64,
    ends: Ends,
    tree: bool,
    /// Texts at once.
    at_once: usize,
}

/// What the engine's thread has told.
#[derive(Default)]
struct Came {
    cached: usize,
    outcome: Option<Outcome>,
    texts: Vec<Text>,
}

/// A drawn text so far.
#[derive(Default)]
struct Text {
    tokens: Vec<TokenId>,
    text: String,
    finish: Option<FinishReason>,
}

impl Asked {
    /// Resolves a request, and refuses what can't be.
    fn of(request: SearchRequest, shared: &Shared) -> Result<Asked, Problem> {
        check_model(request.model.as_ref(), &shared.names)?;
        let method = request.method.map_or(Method::Beam, |method| method.0);
        let plan = plan(&request, method)?;
        let chain = chain(&request, &shared.engine)?;
        let seed = match (request.seed, plan) {
            (Some(seed), _) => seed.0,
            (None, Plan::Beams(_)) => 0,
            (None, _) => getrandom::u32().map(u64::from).map_err(|error| {
                Problem::failed(format!("drawing a seed from the system failed: {error}"))
            })?,
        };
        let tree = request.tree.unwrap_or(false);
        let ends = Ends {
            max_tokens: request.max_tokens.map_or(TOKENS, |n| n.get()),
            limit: shared.limit,
            ignore_end: request.ignore_eos.unwrap_or(false),
            texts: request.stop.map(|stops| stops.0).unwrap_or_default(),
            ..Ends::default()
        };
        let prompt = match (request.prompt, request.messages) {
            (Some(prompt), None) => {
                let reading = Reading { most: 1, limit: shared.limit, offsets: false };
                let add_special = request.add_special_tokens.0;
                let mut found = of_completion(prompt, add_special, &shared.engine, reading)?;
                found.pop().ok_or_else(Problem::gone)?
            }
            (None, Some(messages)) => {
                of_messages(&messages.0, request.date, shared, shared.limit, "messages")?
            }
            _ => {
                let message = "either \"prompt\" or \"messages\" is to be given";
                return Err(Problem::parameter("prompt", message));
            }
        };
        let at_once = plan.n_texts().min(shared.room.n_texts);
        let asked = Asked { plan, prompt, chain, seed, ends, tree, at_once };
        asked.check(shared, method)?;
        Ok(asked)
    }

    /// Refuses what costs too much, and what a method can't do.
    fn check(&self, shared: &Shared, method: Method) -> Result<(), Problem> {
        let Ends { max_tokens, limit, .. } = self.ends;
        let (len, n, room) = (self.prompt.tokens.len(), self.plan.n_texts(), shared.room);
        if len == 0 {
            let message = "the prompt has no tokens, so there is nothing to continue";
            return Err(Problem::parameter("prompt", message));
        }
        if len + max_tokens > limit {
            let message = format!(
                "the prompt has {len} tokens and {max_tokens} new ones were asked for, but the \
                 context has room for {limit}"
            );
            return Err(Problem::context("prompt", message));
        }
        if self.plan.has_beams() {
            let end_tokens = shared.engine.tokenizer.end_tokens();
            let chain = Some(&self.chain);
            let task = Task { chain, end_tokens, max_tokens, ..Task::default() };
            task.check().map_err(refused)?;
            if self.chain.is_schedule() {
                let message = format!(
                    "\"method\" \"{}\" takes one chain: schedules are for best-of and mbr",
                    method.name()
                );
                return Err(Problem::parameter("sampler", message));
            }
            if n > room.n_texts {
                let message = format!(
                    "{n} beams are more than the {} texts that run here at once",
                    room.n_texts
                );
                return Err(Problem::parameter("beams", message));
            }
            // A step weighs as many tokens that may end a text besides.
            let nodes = n.saturating_mul(1 + end_tokens.len().max(1)).saturating_mul(max_tokens);
            if self.tree && nodes > MAX_SEARCH_NODES {
                let message = format!(
                    "the tree may have {nodes} tokens, but at most {MAX_SEARCH_NODES} are sent: \
                     ask for fewer beams or tokens, or without \"tree\""
                );
                return Err(Problem::parameter("tree", message));
            }
        } else if max_tokens == 0 {
            let message = "a text has at least one token, but 0 were asked for";
            return Err(Problem::parameter("max_tokens", message));
        }
        if n.saturating_mul(max_tokens) > room.n_texts.saturating_mul(limit) {
            let message = format!(
                "{n} texts of {max_tokens} tokens are more than the {} tokens that are computed \
                 for a request",
                room.n_texts.saturating_mul(limit)
            );
            return Err(Problem::parameter("max_tokens", message));
        }
        let n_pages = pages(len, self.at_once, max_tokens);
        if n_pages > room.n_pages {
            let message = format!(
                "{} texts of {max_tokens} tokens after a prompt of {len} may need {n_pages} pages \
                 of keys and values, but there are {}",
                self.at_once, room.n_pages
            );
            return Err(Problem::context("max_tokens", message));
        }
        Ok(())
    }

    /// The jobs, with what watches the texts of each.
    fn jobs(&self, id: &str, events: UnboundedSender<Event>) -> (Vec<Job>, Vec<Watched>) {
        let arrived = Instant::now();
        let job = |request: batch::Request, first_choice: usize, whole: Option<Whole>| Job {
            id: id.to_string(),
            request: batch::Request { ends: self.ends.clone(), ..request },
            whole,
            first_choice,
            events: events.clone(),
            arrived,
        };
        let request = |drafts| batch::Request::new(self.prompt.tokens.clone(), drafts);
        if self.plan.has_beams() {
            let chain = (self.chain != Chain::default()).then(|| self.chain.clone());
            let (n_texts, max_tokens) = (self.plan.n_texts(), self.ends.max_tokens);
            let n_pages = pages(self.prompt.tokens.len(), n_texts, max_tokens);
            let loan = Budget { n_texts, n_pages };
            let search = BeamSearch { plan: self.plan, seed: self.seed, chain, loan };
            return (vec![job(request(Vec::new()), 0, Some(Whole::Search(search)))], Vec::new());
        }
        let n = self.plan.n_texts();
        let wave = |first: usize| {
            let samples = first..n.min(first + self.at_once);
            let draft = |sample: usize| {
                let dice = Dice { seed: self.seed, sample: sample as u64 };
                Sampler::new(self.chain.clone(), dice)
            };
            let mut request = request(samples.map(draft).collect());
            let watched = Watched::of(&mut request);
            (job(request, first, None), watched)
        };
        (0..n).step_by(self.at_once).map(wave).unzip()
    }

    /// Waits for what was found or drawn.
    async fn wait(&self, events: &mut UnboundedReceiver<Event>) -> Result<Came, Problem> {
        let n = if self.plan.has_beams() { 0 } else { self.plan.n_texts() };
        let mut came = Came::default();
        came.texts.resize_with(n, Text::default);
        let mut n_ended = 0;
        loop {
            match events.recv().await {
                Some(Event::Read { cached, first_choice: 0, .. }) => came.cached = cached,
                Some(Event::Searched(outcome)) => came.outcome = Some(*outcome),
                Some(Event::Token { choice, text, draw, .. }) => {
                    came.texts[choice].tokens.push(draw.token);
                    came.texts[choice].text.push_str(&text);
                }
                Some(Event::End { choice, text, reason }) => {
                    came.texts[choice].text.push_str(&text);
                    came.texts[choice].finish = Some(reason);
                    n_ended += 1;
                }
                Some(Event::Failed(problem)) => return Err(problem),
                Some(_) => {}
                None => return Err(Problem::gone()),
            }
            if came.outcome.is_some() || (n > 0 && n_ended == n) {
                return Ok(came);
            }
        }
    }

    fn answer(
        &self,
        shared: &Shared,
        came: Came,
        watched: &[Watched],
    ) -> Result<Searched, Problem> {
        let engine = &shared.engine;
        let (cached, found) = (came.cached, came.outcome);
        let (steps, n_rows) = found.as_ref().map(|found| (found.n_steps, found.n_rows)).unzip();
        let (texts, tree) = match found {
            Some(found) => self.found(engine, &found)?,
            None => self.ranked(engine, came.texts, watched)?,
        };
        let completion_tokens =
            n_rows.unwrap_or_else(|| texts.iter().map(TextRow::n_drawn_tokens).sum());
        let prompt_tokens = self.prompt.tokens.len();
        Ok(Searched {
            model: shared.names[0].clone(),
            settings: Settings::of(self.plan, CHRF),
            chain: self.chain.to_string(),
            seed: (!matches!(self.plan, Plan::Beams(_))).then_some(self.seed),
            date: self.prompt.date.clone(),
            steps,
            rows: n_rows,
            texts,
            tree,
            usage: Usage {
                prompt_tokens,
                completion_tokens,
                total_tokens: prompt_tokens + completion_tokens,
                prompt_tokens_details: PromptTokensDetails { cached_tokens: cached },
            },
        })
    }

    /// What beams found.
    fn found(&self, engine: &Engine, found: &Outcome) -> Result<Rows, Problem> {
        if found.texts.is_empty() {
            let message = "the chain leaves no text that can end";
            return Err(Problem::parameter("sampler", message));
        }
        let ending = Ending { engine, stops: &self.ends.texts, by_length: FinishReason::MaxTokens };
        let texts = ending.found(&found.texts, self.plan);
        let tree = self.tree.then(|| rows::nodes(engine, &found.tree, &texts));
        Ok((texts, tree))
    }

    /// Drawn texts by rank.
    fn ranked(
        &self,
        engine: &Engine,
        texts: Vec<Text>,
        watched: &[Watched],
    ) -> Result<Rows, Problem> {
        let drawn = |(i, one): (usize, Text)| {
            let finish = one.finish.ok_or_else(Problem::gone)?;
            let of = &watched[i / self.at_once];
            Ok(of.drawn(i % self.at_once, one.tokens, one.text, finish))
        };
        let drawn = texts.into_iter().enumerate().map(drawn);
        let drawn: Vec<Drawn> = drawn.collect::<Result<_, Problem>>()?;
        let ranked = match self.plan {
            Plan::BestOf(_, by) => best_of(&drawn, by),
            _ => {
                let runs: Vec<Runs> = drawn.iter().map(|text| Runs::of(&text.text)).collect();
                minimum_risk(&drawn, &|i, j| chrf(&runs[i], &runs[j]))
            }
        };
        let tree = self.tree.then(|| rows::drawn_nodes(engine, &drawn, &ranked));
        Ok((rows::drawn(engine, &drawn, &ranked), tree))
    }
}

/// Texts by rank, and their tree.
type Rows = (Vec<TextRow>, Option<Vec<NodeRow>>);

/// The settings of a request, checked.
fn plan(request: &SearchRequest, method: Method) -> Result<Plan, Problem> {
    let wanted = Wanted {
        beams: request.beams.map(|n| n.get()),
        groups: request.groups.map(|n| n.get()),
        diversity_penalty: request.diversity_penalty.map(|penalty| penalty.0),
        length_penalty: request.length_penalty.map(|penalty| penalty.0),
        early_stopping: request.early_stopping.map(|when| when.0),
        samples: request.samples.map(|n| n.get()),
        by: request.by.map(|by| by.0),
    };
    wanted.plan(method).map_err(refused)
}

fn refused(error: SearchError) -> Problem {
    match error {
        SearchError::Setting { setting, problem } => {
            Problem::parameter(setting, format!("\"{setting}\" {problem}"))
        }
        SearchError::Stage { .. } => Problem::parameter("sampler", error.to_string()),
        other => Problem::parameter("method", other.to_string()),
    }
}

/// The chain of a request, bound to the vocabulary.
fn chain(request: &SearchRequest, engine: &Engine) -> Result<Chain, Problem> {
    let settings = match &request.sampler {
        Some(text) => whole(&text.0)?,
        None => Chain::default().into(),
    };
    let chain = match request.temperature {
        Some(t) => Temp::nearest(t.0).and_then(|t| settings.at(t)),
        None => Ok(settings.chain().clone()),
    };
    let chain = chain.map_err(|error| Problem::parameter("temperature", error.to_string()))?;
    engine.bind(&chain).map_err(|error| Problem::parameter("sampler", error.to_string()))
}
