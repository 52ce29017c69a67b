//! Jobs of the routes in, jobs for the engine's thread out: a queue with a bound, out of which those whose client has gone drop by themselves.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use kelvin_engine::{
    TokenId,
    generate::{Ends, FinishReason},
};
use kelvin_sampling::Sampler;
use tokio::sync::mpsc::UnboundedSender;

use super::{problem::Problem, scores::Scored};

/// One prompt and what to make of it.
#[derive(Debug)]
pub(crate) struct Job {
    /// The request's id, for the log.
    pub(crate) id: String,
    pub(crate) prompt: Vec<TokenId>,
    /// One for each choice.
    pub(crate) samplers: Vec<Sampler>,
    pub(crate) ends: Ends,
    /// Whether tokens are scored, and how many others beside each.
    pub(crate) n_top: Option<usize>,
    /// Whether the prompt's tokens are scored as well.
    pub(crate) score_prompt: bool,
    /// Number of its first choice in the request.
    pub(crate) first_choice: usize,
    /// Closed as soon as nobody wants the answer. At most as much is ever waiting here as the context has room for.
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) arrived: Instant,
}

impl Job {
    /// Tokens that it may need room for.
    pub(crate) fn n_tokens(&self) -> usize {
        self.prompt.len() + self.samplers.len() * self.ends.max_tokens
    }
}

/// What the engine tells about a job.
#[derive(Debug)]
pub(crate) enum Event {
    /// The prompt has been read, `cached` of its tokens long before.
    Read { first_choice: usize, cached: usize, scores: Vec<Scored> },
    /// A choice has a new token.
    Token { choice: usize, text: String, token: TokenId, scored: Option<Scored> },
    /// A choice has ended, with what was held back of its text.
    End { choice: usize, text: String, reason: FinishReason },
    /// Nothing more comes.
    Failed(Problem),
}

/// The jobs that wait.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    /// No more are taken.
    closed: bool,
    /// Those that run are to be given up.
    aborted: bool,
}

/// What the engine's thread should do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Begin with this one.
    Job(Box<Job>),
    /// Go on with what runs.
    Nothing,
    /// End: what runs is given up.
    Stop,
}

impl Queue {
    /// A queue in which at most `capacity` jobs wait.
    pub(crate) fn new(capacity: usize) -> Queue {
        Queue { state: Mutex::default(), wake: Condvar::new(), capacity }
    }

    /// The most jobs that can wait.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// A panic elsewhere leaves nothing half done in here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all of a request's jobs, or none of them.
    pub(crate) fn push(&self, jobs: Vec<Job>) -> Result<(), Problem> {
        let mut state = self.state();
        if state.closed {
            return Err(Problem::busy("shutting_down", "the server is shutting down"));
        }
        state.jobs.retain(|job| !job.events.is_closed());
        if state.jobs.len() + jobs.len() > self.capacity {
            let message = format!(
                "{} prompts are waiting, and at most {} can; try again later",
                state.jobs.len(),
                self.capacity
            );
            return Err(Problem::busy("queue_full", message));
        }
        state.jobs.extend(jobs);
        self.wake.notify_one();
        Ok(())
    }

    /// The first job if `fits` says that there is room for it; where `idle`, waits until there is something to do.
    pub(crate) fn next(&self, idle: bool, fits: impl Fn(&Job) -> bool) -> Next {
        let mut state = self.state();
        loop {
            state.jobs.retain(|job| !job.events.is_closed());
            if state.aborted || (state.closed && idle && state.jobs.is_empty()) {
                return Next::Stop;
            }
            if state.jobs.front().is_some_and(&fits)
                && let Some(job) = state.jobs.pop_front()
            {
                return Next::Job(Box::new(job));
            }
            if !idle {
                return Next::Nothing;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.state().jobs.iter().filter(|job| !job.events.is_closed()).count()
    }

    /// Takes no more; what waits and what runs is still done.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    /// Gives up what waits and what runs.
    pub(crate) fn abort(&self) {
        let mut state = self.state();
        (state.closed, state.aborted) = (true, true);
        for job in state.jobs.drain(..) {
            let _ =
                job.events.send(Event::Failed(Problem::busy("shutting_down", "the server is shutting down")));
        }
        self.wake.notify_all();
    }
}
