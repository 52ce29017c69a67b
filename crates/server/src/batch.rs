//! The engine's thread: jobs from the queue into the engine's batch, events to the clients.
//!
//! The engine schedules (see [`kelvin_engine::batch`]): it admits by the page budget, shares a step
//! between decode and prefill, and keeps the prefix cache. What is the server's own is here: which
//! job comes next (`queue`), whose prompt is read next (`turns`), who still listens, figures, and
//! what a fault does to whom.

mod whole;

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

#[cfg(feature = "net")]
use kelvin_engine::batch::DraftModel;
use kelvin_engine::{
    Engine,
    batch::{
        Batch, BatchOptions, Budget, Chunks, Guesses, Observer, Place, PromptRead, RequestId, Step,
    },
    generate::FinishReason,
    transformer::CacheFormat,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    metrics::Metrics,
    problem::Problem,
    queue::{Event, Job, Next, Queue},
    turns,
};
use whole::Drawing;

/// The engine thread's state.
pub(crate) struct Thread {
    engine: Arc<Engine>,
    batch: Batch,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    clients: Clients,
    /// Jobs whose texts are drawn as a whole or searched.
    drawings: Vec<Drawing>,
}

/// The receivers of the running requests' events.
#[derive(Default)]
struct Clients(BTreeMap<RequestId, Client>);

/// The receiver of one request's events.
struct Client {
    /// The request's id, for the log.
    id: String,
    n_prompt: usize,
    n_choices: usize,
    first_choice: usize,
    events: UnboundedSender<Event>,
    arrived: Instant,
    last_token: Option<Instant>,
    /// Prompt tokens that the prefix cache had.
    cached: usize,
    /// Tokens of the current step.
    n_new: u64,
    has_ended: bool,
    /// Why the engine can't continue.
    failed: Option<Problem>,
}

/// The options of the server's batch.
pub(crate) fn options(cache: CacheFormat, budget: Budget, guesses: Guesses) -> BatchOptions {
    BatchOptions {
        cache,
        guesses,
        chunks: Chunks { scored: 32, ..Chunks::default() },
        policy: turns::shares,
        ..BatchOptions::new(budget)
    }
}

/// Runs until the queue is closed and every job is done, or until the queue is aborted.
#[cfg(feature = "net")]
pub(crate) fn run(
    engine: Arc<Engine>,
    options: BatchOptions,
    draft_model: Option<DraftModel>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
) {
    let mut thread = Thread::new(engine, options, queue, metrics);
    if let Some(model) = draft_model {
        thread.batch = thread.batch.drafting_with(model);
    }
    thread.run();
}

impl Thread {
    pub(crate) fn new(
        engine: Arc<Engine>,
        options: BatchOptions,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
    ) -> Thread {
        let batch = Batch::new(&engine, options);
        Thread { engine, batch, queue, metrics, clients: Clients::default(), drawings: Vec::new() }
    }

    #[cfg(feature = "net")]
    fn run(&mut self) {
        while self.admit(true) {
            self.step_if_any();
        }
        self.give_up(&Problem::busy("shutting_down", "the server is shutting down"));
    }

    /// Admits jobs that fit and runs one step, without waiting. Whether anything runs.
    pub(crate) fn turn(&mut self) -> bool {
        self.admit(false);
        let is_running = !self.is_idle();
        self.step_if_any();
        is_running
    }

    fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.drawings.is_empty()
    }

    /// Runs one step if there is anything to run.
    fn step_if_any(&mut self) {
        if self.is_idle() {
            return;
        }
        // What a panic leaves half done is thrown away with what ran.
        match catch_unwind(AssertUnwindSafe(|| self.step())) {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => self.give_up(&problem),
            Err(_) => {
                let problem = Problem::failed("a step of the model panicked; this is a bug");
                self.give_up(&problem.coded("panic"));
            }
        }
    }

    /// Removes cancelled requests and admits jobs that fit. If nothing runs, `waits` for a job.
    /// False at the end.
    fn admit(&mut self, waits: bool) -> bool {
        self.remove_closed();
        loop {
            self.tell_figures();
            let idle = waits && self.is_idle();
            let Thread { engine, batch, queue, clients, drawings, .. } = self;
            let running = |id: &str| {
                let texts = clients.0.values().filter(|client| client.id == id).count();
                texts + drawings.iter().filter(|drawing| drawing.id == id).count()
            };
            // Where it goes: a place of the batch, or none if room is lent to it.
            let mut found: Option<Result<Option<Place>, Problem>> = None;
            let next = queue.next(idle, running, |job| {
                if let Some(whole) = &job.whole {
                    found = batch.lend(engine, whole.loan()).then_some(Ok(None));
                    return found.is_some();
                }
                found = match batch.place(engine, &job.request) {
                    Ok(place) => place.map(|place| Ok(Some(place))),
                    // Routes refuse such prompts. Should one not, nobody waits for it.
                    Err(error) => Some(Err(Problem::failed(error.to_string()))),
                };
                found.is_some()
            });
            match (next, found) {
                (Next::Job(job), Some(Ok(Some(place)))) => self.start(*job, place),
                (Next::Job(job), Some(Ok(None))) => self.draw(*job),
                (Next::Job(job), Some(Err(problem))) => {
                    let _ = job.events.send(Event::Failed(problem));
                }
                (Next::Stop, _) => return false,
                _ => return true,
            }
        }
    }

    fn start(&mut self, job: Job, place: Place) {
        let Job { id, request, first_choice, events, arrived, .. } = job;
        let client = Client {
            id,
            n_prompt: request.prompt.len(),
            n_choices: request.drafts.len(),
            first_choice,
            events,
            arrived,
            last_token: None,
            cached: 0,
            n_new: 0,
            has_ended: false,
            failed: None,
        };
        self.metrics.prompt_tokens.fetch_add(client.n_prompt as u64, Relaxed);
        let id = self.batch.start(&self.engine, request, place);
        self.clients.0.insert(id, client);
    }

    /// Starts a job whose texts are drawn as a whole or searched, in the room that was lent to it.
    fn draw(&mut self, mut job: Job) {
        let Some(whole) = job.whole.take() else { return };
        self.metrics.prompt_tokens.fetch_add(job.request.prompt.len() as u64, Relaxed);
        self.drawings.push(Drawing::new(&self.engine, &self.batch, job, whole));
    }

    fn remove_closed(&mut self) {
        let Thread { batch, clients, metrics, drawings, .. } = self;
        drawings.retain(|drawing| {
            let is_closed = drawing.is_closed();
            if is_closed {
                batch.take_back(drawing.loan());
                metrics.cancelled.fetch_add(1, Relaxed);
                tracing::info!(request = drawing.id, "cancelled: the client is gone");
            }
            !is_closed
        });
        clients.0.retain(|&id, client| {
            if client.events.is_closed() {
                batch.cancel(id);
                metrics.cancelled.fetch_add(1, Relaxed);
                tracing::info!(request = client.id, "cancelled: the client is gone");
            }
            !client.events.is_closed()
        });
    }

    /// Runs one step of the model and sends its events.
    fn step(&mut self) -> Result<(), Problem> {
        let Thread { engine, batch, clients, metrics, drawings, .. } = self;
        drawings.retain_mut(|drawing| {
            let goes_on = drawing.step(engine, batch, metrics);
            if !goes_on {
                batch.take_back(drawing.loan());
            }
            goes_on
        });
        if batch.is_empty() {
            return Ok(());
        }
        let stepped = batch.step(engine, clients);
        stepped.map_err(|error| Problem::failed(format!("the model failed: {error}")))?;
        let now = Instant::now();
        clients.0.retain(|&id, client| {
            client.count_tokens(metrics, now);
            let goes_on = client.goes_on();
            if !goes_on {
                // Its other choices end with one that failed.
                batch.cancel(id);
            }
            goes_on
        });
        Ok(())
    }

    fn tell_figures(&self) {
        let Metrics {
            running,
            pages,
            kept_pages,
            promised_pages,
            steps,
            cached_tokens,
            decode_steps,
            draft_steps,
            drafted_tokens,
            accepted_tokens,
            ..
        } = &*self.metrics;
        let counts = self.batch.guess_counts();
        decode_steps.store(counts.n_steps, Relaxed);
        draft_steps.store(counts.n_draft_steps, Relaxed);
        for (kind, counts) in counts.kinds.iter().enumerate() {
            drafted_tokens[kind].store(counts.n_guessed, Relaxed);
            accepted_tokens[kind].store(counts.n_right, Relaxed);
        }
        running.store((self.batch.n_running() + self.drawings.len()) as u64, Relaxed);
        pages.store(self.batch.n_held_pages(&self.engine) as u64, Relaxed);
        kept_pages.store(self.batch.n_cached_pages() as u64, Relaxed);
        promised_pages.store(self.batch.n_promised_pages() as u64, Relaxed);
        steps.store(self.batch.n_steps(), Relaxed);
        cached_tokens.store(self.batch.cached_tokens(), Relaxed);
    }

    /// Ends all running requests with a problem.
    fn give_up(&mut self, problem: &Problem) {
        self.batch.clear();
        for drawing in std::mem::take(&mut self.drawings) {
            self.batch.take_back(drawing.loan());
            tracing::error!(request = drawing.id, problem = %problem, "given up");
            drawing.fail(problem.clone());
        }
        for (_, client) in std::mem::take(&mut self.clients.0) {
            tracing::error!(request = client.id, problem = %problem, "given up");
            let _ = client.events.send(Event::Failed(problem.clone()));
        }
    }
}

impl Client {
    fn count_tokens(&mut self, metrics: &Metrics, now: Instant) {
        let n_new = std::mem::take(&mut self.n_new);
        metrics.generated_tokens.fetch_add(n_new, Relaxed);
        if n_new > 0 {
            match self.last_token.replace(now) {
                None => metrics.first_token.add(self.arrived.elapsed()),
                Some(last) => metrics.between_tokens.add(now.duration_since(last)),
            }
        }
    }

    /// Whether the text continues. Sends the end of it if not.
    fn goes_on(&self) -> bool {
        let secs = self.arrived.elapsed().as_secs_f64();
        let (request, prompt, cached) = (&self.id, self.n_prompt, self.cached);
        if let Some(problem) = &self.failed {
            tracing::error!(request, problem = %problem, secs, "failed");
            let _ = self.events.send(Event::Failed(problem.clone()));
        } else if self.has_ended {
            tracing::info!(request, prompt, cached, secs, "done");
        }
        self.failed.is_none() && !self.has_ended
    }
}

impl Observer for Clients {
    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        if let Some(client) = self.0.get_mut(&read.request) {
            client.cached = read.cached;
            // Bad logits end a text where its first token is drawn; there is one score less.
            let scores = read.logprobs.into_iter().filter_map(Result::ok).collect();
            let Client { first_choice, cached, .. } = *client;
            let _ = client.events.send(Event::Read { first_choice, cached, scores });
            if client.n_choices == 0 {
                let _ = client.events.send(Event::Row(read.logits.to_vec()));
            }
        }
        ControlFlow::Continue(())
    }

    fn thought(&mut self, id: RequestId, column: usize, text: &str) {
        if let Some(client) = self.0.get(&id) {
            let (choice, text) = (client.first_choice + column, text.to_string());
            let _ = client.events.send(Event::Thought { choice, text });
        }
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        if let Some(client) = self.0.get_mut(&step.request) {
            client.n_new += 1;
            let _ = client.events.send(Event::Token {
                choice: client.first_choice + step.column,
                text: step.text.to_string(),
                draw: step.draw,
                scored: step.scored,
                learned: step.learned,
            });
        }
        ControlFlow::Continue(())
    }

    fn finished(&mut self, id: RequestId, column: usize, text: &str, reason: &FinishReason) {
        let Some(client) = self.0.get_mut(&id) else { return };
        match Problem::of_end(reason) {
            Some(problem) => client.failed = Some(problem),
            None => {
                let choice = client.first_choice + column;
                let (text, reason) = (text.to_string(), reason.clone());
                let _ = client.events.send(Event::End { choice, text, reason });
            }
        }
    }

    fn ended(&mut self, id: RequestId) {
        if let Some(client) = self.0.get_mut(&id) {
            client.has_ended = true;
        }
    }
}

#[cfg(test)]
mod tests;
