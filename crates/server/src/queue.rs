//! A bounded queue between HTTP handlers and the engine thread. Cancelled jobs are removed.
//!
//! Order: of the jobs that fit, the next one belongs to the request with the fewest running texts;
//! among equals the oldest. So a large job doesn't delay small ones that fit beside the running
//! texts, and a request with a hundred prompts shares with the others. A job that was overtaken
//! [`MAX_PASSES`] times blocks later ones until it fits, so every job starts after a bounded number
//! of others.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use kelvin_engine::{
    batch::{Request, Scored},
    generate::FinishReason,
    search::{Node, Outcome},
};
use kelvin_sampling::{Draw, Learned};
use tokio::sync::mpsc::UnboundedSender;

use super::{problem::Problem, whole::Whole, whole_text::WholeText};

/// How often later jobs may overtake a job.
const MAX_PASSES: usize = 32;
/// How many jobs are tried for room at a time.
const MAX_TRIES: usize = 8;

/// One prompt and its choices.
#[derive(Debug)]
pub(crate) struct Job {
    /// The request's id, for the log.
    pub(crate) id: String,
    /// The engine's request: a text for each choice, or none where only the logits after the prompt
    /// are requested.
    pub(crate) request: Request,
    /// Texts that are drawn as a whole, or searched, after the request's prompt, which has no texts
    /// of its own then.
    pub(crate) whole: Option<Whole>,
    /// Number of its first choice in the request.
    pub(crate) first_choice: usize,
    /// Where events go. Closed when the client is gone. The context size bounds how many events can
    /// wait.
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) arrived: Instant,
}

/// An event of a job.
#[derive(Debug)]
pub(crate) enum Event {
    /// The prompt was read; the prefix cache had `cached` of its tokens.
    Read { first_choice: usize, cached: usize, scores: Vec<Scored> },
    /// The logits after the prompt, for a job without choices.
    Row(Vec<f32>),
    /// A choice has new thoughts, which are kept apart. The event of the token follows.
    Thought { choice: usize, text: String },
    /// A choice has a new token.
    Token {
        choice: usize,
        text: String,
        draw: Draw,
        scored: Option<Scored>,
        /// The state of a stage that learns, such as mirostat's.
        learned: Option<Learned>,
    },
    /// What a step of a search went on with or ended texts with: nodes of its tree by their index;
    /// and rows of all steps so far.
    Weighed { nodes: Vec<(usize, Node)>, rows: usize },
    /// What a search found.
    Searched(Box<Outcome>),
    /// How a choice was drawn that was drawn as a whole.
    Whole { choice: usize, whole: WholeText },
    /// A choice has ended. `text` is what was held back for stop strings.
    End { choice: usize, text: String, reason: FinishReason },
    /// The job failed; no more events follow.
    Failed(Problem),
}

/// The waiting jobs.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Waiting jobs in order of arrival.
    jobs: VecDeque<Waiting>,
    /// No more jobs are accepted.
    closed: bool,
    /// Running jobs are to be cancelled.
    aborted: bool,
}

/// A waiting job.
#[derive(Debug)]
struct Waiting {
    job: Job,
    /// How many later jobs have overtaken it.
    passed: usize,
}

/// What the engine's thread should do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Start this job.
    Job(Box<Job>),
    /// Continue the running jobs.
    Nothing,
    /// End; running jobs are cancelled.
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

    /// The lock. A panic elsewhere leaves the queue consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts all jobs of a request, or none.
    pub(crate) fn push(&self, jobs: Vec<Job>) -> Result<(), Problem> {
        let mut state = self.state();
        if state.closed {
            return Err(Problem::busy("shutting_down", "the server is shutting down"));
        }
        state.jobs.retain(|waiting| !waiting.job.events.is_closed());
        if state.jobs.len() + jobs.len() > self.capacity {
            let message = format!(
                "{} prompts are waiting, and at most {} can; try again later",
                state.jobs.len(),
                self.capacity
            );
            return Err(Problem::busy("queue_full", message));
        }
        state.jobs.extend(jobs.into_iter().map(|job| Waiting { job, passed: 0 }));
        self.wake.notify_one();
        Ok(())
    }

    /// The next job for which `fits` says that there is room, where `texts_of` a request so many
    /// run already; where `idle`, waits until there is something to do.
    pub(crate) fn next(
        &self,
        idle: bool,
        texts_of: impl Fn(&str) -> usize,
        mut fits: impl FnMut(&Job) -> bool,
    ) -> Next {
        let mut state = self.state();
        loop {
            state.jobs.retain(|waiting| !waiting.job.events.is_closed());
            if state.aborted || (state.closed && idle && state.jobs.is_empty()) {
                return Next::Stop;
            }
            let order = order(&state.jobs, &texts_of);
            let at = order.iter().copied().find(|&at| fits(&state.jobs[at].job));
            if let Some(at) = at
                && let Some(Waiting { job, .. }) = state.jobs.remove(at)
            {
                state.jobs.iter_mut().take(at).for_each(|earlier| earlier.passed += 1);
                return Next::Job(Box::new(job));
            }
            if !idle {
                return Next::Nothing;
            }
            // Routes refuse what can never fit; should one not, nobody waits for it.
            if let Some(Waiting { job, .. }) = order.first().and_then(|&at| state.jobs.remove(at)) {
                let problem =
                    Problem::failed("the request needs more room than there is").coded("no_room");
                let _ = job.events.send(Event::Failed(problem));
                return Next::Nothing;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Number of waiting jobs.
    pub(crate) fn len(&self) -> usize {
        self.state().jobs.iter().filter(|waiting| !waiting.job.events.is_closed()).count()
    }

    /// Accepts no more jobs. Waiting and running ones are still done.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    /// Cancels waiting and running jobs.
    #[cfg(feature = "net")]
    pub(crate) fn abort(&self) {
        let mut state = self.state();
        (state.closed, state.aborted) = (true, true);
        for Waiting { job, .. } in state.jobs.drain(..) {
            let _ = job
                .events
                .send(Event::Failed(Problem::busy("shutting_down", "the server is shutting down")));
        }
        self.wake.notify_all();
    }
}

/// The jobs that are tried for room, in order.
fn order(jobs: &VecDeque<Waiting>, texts_of: impl Fn(&str) -> usize) -> Vec<usize> {
    if let Some(at) = jobs.iter().position(|waiting| waiting.passed >= MAX_PASSES) {
        return vec![at];
    }
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_cached_key(|&at| texts_of(&jobs[at].job.id));
    order.truncate(MAX_TRIES);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use kelvin_engine::TokenId;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    /// A job of request `id`, known by the length of its prompt.
    fn job(id: &str, len: usize) -> (Job, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        let job = Job {
            id: id.to_string(),
            request: Request::new(vec![TokenId(0); len], Vec::new()),
            whole: None,
            first_choice: 0,
            events,
            arrived: Instant::now(),
        };
        (job, receiver)
    }

    fn len_of(next: Next) -> usize {
        match next {
            Next::Job(job) => job.request.prompt.len(),
            Next::Nothing => 0,
            Next::Stop => usize::MAX,
        }
    }

    #[test]
    fn a_large_job_is_passed_so_often_and_no_more() {
        let queue = Queue::new(1000);
        let (large, _kept) = job("large", 500);
        queue.push(vec![large]).unwrap();
        let mut receivers = Vec::new();
        for _ in 0..MAX_PASSES + 5 {
            let (small, receiver) = job("small", 1);
            receivers.push(receiver);
            queue.push(vec![small]).unwrap();
        }
        let next =
            |most: usize| len_of(queue.next(false, |_| 0, |job| job.request.prompt.len() <= most));
        for _ in 0..MAX_PASSES {
            assert_eq!(next(400), 1);
        }
        assert_eq!(next(400), 0, "room is left free for the large one");
        assert_eq!(next(500), 500);
        assert_eq!(next(400), 1);
    }

    #[test]
    fn requests_share_and_those_that_left_are_skipped() {
        let queue = Queue::new(10);
        let many: Vec<_> = (1..=4).map(|i| job("many", i)).collect();
        let (many, _receivers): (Vec<_>, Vec<_>) = many.into_iter().unzip();
        queue.push(many).unwrap();
        let (gone, receiver) = job("gone", 8);
        queue.push(vec![gone]).unwrap();
        let (one, _receiver) = job("one", 9);
        queue.push(vec![one]).unwrap();
        drop(receiver);
        assert_eq!(queue.len(), 5);
        let texts = |id: &str| usize::from(id == "many");
        let mut order = Vec::new();
        for _ in 0..5 {
            order.push(len_of(queue.next(false, texts, |_| true)));
        }
        assert_eq!(order, [9, 1, 2, 3, 4]);
        let too_many: Vec<Job> = (0..11).map(|_| job("x", 1).0).collect();
        assert!(queue.push(too_many).is_err());
        queue.close();
        assert!(queue.push(vec![job("late", 1).0]).is_err());
        assert_eq!(len_of(queue.next(true, texts, |_| true)), usize::MAX);
    }
}
