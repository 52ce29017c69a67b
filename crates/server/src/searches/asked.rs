//! A search as a request asks for it, checked before anything is computed, and its jobs.

use std::time::Instant;

use kelvin_engine::{
    Engine,
    batch::{self, Budget, Draft, pages},
    generate::{Constraint, Ends, Thoughts},
    search::{Held, Method, Plan, SearchError, Task, Wanted as Settings, Watched},
};
use kelvin_sampling::{Chain, Dice, Sampler};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    Shared,
    controls::chain,
    forms::Wanted,
    limits::MAX_SEARCH_NODES,
    problem::Problem,
    prompts::{Prompt, Reading, check_model, left_after, of_completion, of_messages},
    queue::{Event, Job},
    requests::{ChatDate, Messages, On, Prompts, SamplingFields, SearchRequest},
    whole::{BeamSearch, Whole},
};

/// Default of `max_tokens`.
const TOKENS: usize = 40;

/// A request before anything is computed.
pub(super) struct Asked {
    pub(super) plan: Plan,
    pub(super) prompt: Prompt,
    pub(super) chain: Chain,
    pub(super) seed: u64,
    pub(super) ends: Ends,
    /// The parameter that asks for a form, if one does.
    pub(super) form: Option<&'static str>,
    /// Whether the answer has the tree.
    pub(super) tree: bool,
    /// Whether the answer is a stream.
    pub(super) streams: bool,
    /// Texts at once.
    pub(super) at_once: usize,
}

/// What a request asks for, as jobs.
pub(super) struct Planned {
    pub(super) asked: Asked,
    pub(super) jobs: Vec<Job>,
    /// What watches the texts of each job, where texts are drawn.
    pub(super) watched: Vec<Watched>,
    /// The jobs' events.
    pub(super) events: UnboundedReceiver<Event>,
}

/// Resolves the request `id`, and refuses what can't be.
pub(super) fn planned(
    mut request: SearchRequest,
    shared: &Shared,
    id: &str,
) -> Result<Planned, Problem> {
    check_model(request.model.as_ref(), &shared.names)?;
    let method = request.method.map_or(Method::Beam, |method| method.0);
    let outputs = request.structured_outputs.take();
    let wanted = Wanted::of(None, request.response_format.take(), outputs)?;
    let settings = match wanted {
        Some(_) => settings(&request).in_form(method),
        None => settings(&request),
    };
    let plan = plan(settings, method)?;
    let chain = own_chain(&request.sampling, &shared.engine)?;
    if plan.has_beams() {
        check_chain(&chain, method)?;
    }
    let seed = match (request.seed, plan) {
        (Some(seed), _) => seed.0,
        (None, Plan::Beams(_)) => 0,
        (None, _) => getrandom::u32().map(u64::from).map_err(|error| {
            Problem::failed(format!("drawing a seed from the system failed: {error}"))
        })?,
    };
    let thoughts = thoughts(&request, plan, &shared.engine)?;
    let text = Text {
        prompt: request.prompt,
        add_special: request.add_special_tokens,
        messages: request.messages,
        date: request.date,
    };
    let (prompt, name) = text.read(shared)?;
    let max_tokens = request.max_tokens.map(|n| n.get());
    let max_tokens = room(prompt.tokens.len(), max_tokens, shared.limit, name)?;
    let ends = Ends {
        max_tokens,
        limit: shared.limit,
        ignore_end: request.ignore_eos.unwrap_or(false),
        texts: request.stop.map(|stops| stops.0).unwrap_or_default(),
        thoughts,
        ..Ends::default()
    };
    let at_once = plan.n_texts().min(shared.room.n_texts);
    let (tree, streams) = (request.tree.unwrap_or(false), request.stream.unwrap_or(false));
    let form = wanted.as_ref().map(Wanted::name);
    let asked = Asked { plan, prompt, chain, seed, ends, form, tree, streams, at_once };
    asked.check_cost(shared)?;
    let form = Wanted::compiled(wanted.as_ref(), [&asked.chain], shared)?;
    let (sender, events) = unbounded_channel();
    let (jobs, watched) = asked.jobs(id, form, &sender);
    Ok(Planned { asked, jobs, watched, events })
}

/// The settings of a request.
fn settings(request: &SearchRequest) -> Settings {
    Settings {
        beams: request.beams.map(|n| n.get()),
        groups: request.groups.map(|n| n.get()),
        diversity_penalty: request.diversity_penalty.map(|penalty| penalty.0),
        length_penalty: request.length_penalty.map(|penalty| penalty.0),
        early_stopping: request.early_stopping.map(|when| when.0),
        samples: request.samples.map(|n| n.get()),
        by: request.by.map(|by| by.0),
    }
}

/// The plan of a method with these settings, checked.
fn plan(settings: Settings, method: Method) -> Result<Plan, Problem> {
    settings.plan(method).map_err(|error| match error {
        SearchError::Setting { setting, problem } => {
            Problem::parameter(setting, format!("\"{setting}\" {problem}"))
        }
        // Each number is within its bounds, so it is how beams are divided into groups.
        other => {
            let name = if settings.groups.is_some() { "groups" } else { "beams" };
            Problem::parameter(name, other.to_string())
        }
    })
}

/// The chain of a request, bound to the vocabulary. Where it says nothing, that is the model's own
/// distribution, whatever the model file recommends.
fn own_chain(sampling: &SamplingFields, engine: &Engine) -> Result<Chain, Problem> {
    let chain = chain(sampling, None)?;
    engine.bind(&chain).map_err(|error| Problem::parameter("sampler", error.to_string()))
}

/// Refuses a chain that beams have no distribution of.
fn check_chain(chain: &Chain, method: Method) -> Result<(), Problem> {
    let task = Task { chain: Some(chain), max_tokens: 1, ..Task::default() };
    // A stage that is random or learns has no field of its own.
    task.check().map_err(|error| Problem::parameter("sampler", error.to_string()))?;
    if chain.is_schedule() {
        let message = format!(
            "\"method\" \"{}\" takes one chain: schedules are for best-of and mbr",
            method.name()
        );
        return Err(Problem::parameter("sampler", message));
    }
    Ok(())
}

/// How thoughts are treated that are drawn; beams have none.
fn thoughts(
    request: &SearchRequest,
    plan: Plan,
    engine: &Engine,
) -> Result<Option<Thoughts>, Problem> {
    if plan.has_beams() {
        return match request.think {
            Some(_) => Err(Problem::parameter("think", "\"think\" is for best-of or mbr")),
            None => Ok(None),
        };
    }
    let thoughts = engine.thoughts(request.think.map(|n| n.get()), false);
    thoughts.map_err(|error| Problem::parameter("think", error.to_string()))
}

/// What texts come after.
struct Text {
    prompt: Option<Prompts>,
    add_special: On,
    messages: Option<Messages>,
    date: Option<ChatDate>,
}

impl Text {
    /// The prompt, and the parameter that gives it.
    fn read(self, shared: &Shared) -> Result<(Prompt, &'static str), Problem> {
        match (self.prompt, self.messages) {
            (Some(Prompts::Many(prompts)), None) if prompts.len() > 1 => {
                let message = format!(
                    "\"prompt\" has {} texts, but a search takes one: send a request for each",
                    prompts.len()
                );
                Err(Problem::parameter("prompt", message))
            }
            (Some(prompt), None) => {
                let reading = Reading { most: 1, limit: shared.limit, offsets: false };
                let found = of_completion(prompt, self.add_special.0, &shared.engine, reading);
                Ok((found?.pop().ok_or_else(Problem::gone)?, "prompt"))
            }
            (None, Some(messages)) => {
                let name = "messages";
                let prompt = of_messages(&messages.0, self.date, shared, shared.limit, name)?;
                Ok((prompt, name))
            }
            _ => {
                let message = "either \"prompt\" or \"messages\" is to be given";
                Err(Problem::parameter("prompt", message))
            }
        }
    }
}

/// The maximum number of new tokens after a prompt of `len` tokens, which came as the parameter
/// `name`.
fn room(len: usize, asked: Option<usize>, limit: usize, name: &str) -> Result<usize, Problem> {
    let left = left_after(len, limit, name)?;
    if asked == Some(0) {
        let message = "\"max_tokens\" is 0, but a text has at least one token";
        return Err(Problem::parameter("max_tokens", message));
    }
    match asked {
        Some(asked) if asked > left => {
            let message = format!(
                "\"max_tokens\" is {asked}, but after a prompt of {len} tokens the context of \
                 {limit} has room for {left}"
            );
            Err(Problem::context("max_tokens", message))
        }
        Some(asked) => Ok(asked),
        None => Ok(TOKENS.min(left)),
    }
}

impl Asked {
    /// Refuses what costs too much.
    fn check_cost(&self, shared: &Shared) -> Result<(), Problem> {
        let Ends { max_tokens, limit, .. } = self.ends;
        let (len, n, room) = (self.prompt.tokens.len(), self.plan.n_texts(), shared.room);
        if self.plan.has_beams() && n > room.n_texts {
            let message =
                format!("{n} beams are more than the {} texts that run here at once", room.n_texts);
            return Err(Problem::parameter("beams", message));
        }
        // A step weighs as many tokens that may end a text besides.
        let n_ends = shared.engine.tokenizer.end_tokens().len().max(1);
        let nodes = n.saturating_mul(1 + n_ends).saturating_mul(max_tokens);
        if self.plan.has_beams() && self.tree && nodes > MAX_SEARCH_NODES {
            let message = format!(
                "the tree may have {nodes} tokens, but at most {MAX_SEARCH_NODES} are sent: ask \
                 for fewer beams or tokens, or without \"tree\""
            );
            return Err(Problem::parameter("tree", message));
        }
        let most = room.n_texts.saturating_mul(limit);
        if n.saturating_mul(max_tokens) > most {
            let message = format!(
                "{n} texts of {max_tokens} tokens are more than the {most} tokens that are \
                 computed for a request"
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
    fn jobs(
        &self,
        id: &str,
        form: Option<Box<dyn Constraint>>,
        events: &UnboundedSender<Event>,
    ) -> (Vec<Job>, Vec<Watched>) {
        let arrived = Instant::now();
        let job = |request: batch::Request, first_choice: usize, whole: Option<Whole>| Job {
            id: id.to_string(),
            request: batch::Request { ends: self.ends.clone(), ..request },
            whole,
            first_choice,
            events: events.clone(),
            arrived,
        };
        if self.plan.has_beams() {
            let request = batch::Request::new(self.prompt.tokens.clone(), Vec::new());
            let search = Whole::Search(self.beams(form));
            return (vec![job(request, 0, Some(search))], Vec::new());
        }
        let n = self.plan.n_texts();
        let wave = |first: usize| {
            let draft = |sample: usize| {
                let dice = Dice { seed: self.seed, sample: sample as u64 };
                Sampler::new(self.chain.clone(), dice)
            };
            let samplers = (first..n.min(first + self.at_once)).map(draft).collect();
            let mut request = batch::Request::new(self.prompt.tokens.clone(), samplers);
            request.drafts.iter_mut().for_each(|draft: &mut Draft| {
                draft.constraint = form.as_ref().map(|form| form.fork());
            });
            let watched = Watched::of(&mut request);
            (job(request, first, None), watched)
        };
        (0..n).step_by(self.at_once).map(wave).unzip()
    }

    /// The job of beams.
    fn beams(&self, form: Option<Box<dyn Constraint>>) -> BeamSearch {
        let n_texts = self.plan.n_texts();
        let n_pages = pages(self.prompt.tokens.len(), n_texts, self.ends.max_tokens);
        BeamSearch {
            plan: self.plan,
            seed: self.seed,
            chain: (self.chain != Chain::default()).then(|| self.chain.clone()),
            form: form.map(Held::new),
            tells: self.streams,
            loan: Budget { n_texts, n_pages },
        }
    }
}
