//! A lab worker that uses an OpenAI-compatible server: one request per text, several at once,
//! repeated while the server is busy or unreachable.
//!
//! It lives in this crate because HTTP clients do. Such servers (vLLM, SGLang, llama-server,
//! `kelvin serve`) report a token's log-probability at T = 1 before the chain, and the top tokens.
//! The other fields of a token's record stay empty.

mod answer;
mod manners;
mod post;
mod request;

pub use manners::Manners;
pub use request::can_ask;

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use kelvin_lab::{
    Recipe,
    recipe::Origin,
    run::{Sample, Source},
    worker::{Row, Watcher, Worker, WorkerError},
};
use serde_json::Value;

use post::Post;

/// How often somebody who wants to stop is listened to.
const TICK: Duration = Duration::from_millis(100);

/// A server at work.
#[derive(Debug)]
pub struct Remote {
    source: Source,
    post: Arc<Post>,
    n_requests: usize,
}

impl Remote {
    /// A worker for a recipe of a server. Nothing is sent yet, but whatever the server couldn't do
    /// is found out.
    ///
    /// # Errors
    /// A sentence about what the server couldn't do.
    pub fn new(recipe: &Recipe, manners: Manners) -> Result<Remote, String> {
        let Origin::Server { url, model, .. } = &recipe.origin else {
            return Err("the recipe is of a model on this machine".into());
        };
        request::check(recipe)?;
        Ok(Remote {
            source: Source::Server { model: model.clone(), url: url.clone() },
            n_requests: manners.n_requests.max(1),
            post: Arc::new(Post::new(url.clone(), &manners)),
        })
    }
}

impl Worker for Remote {
    fn source(&self) -> &Source {
        &self.source
    }

    fn n_threads(&self) -> usize {
        self.n_requests
    }

    fn fill(
        &mut self,
        recipe: &Recipe,
        rows: &[Row],
        watcher: &mut dyn Watcher,
    ) -> Result<(), WorkerError> {
        let requests = rows.iter().map(|&row| Ok((row, request::body(recipe, row)?)));
        let requests =
            requests.collect::<Result<VecDeque<_>, String>>().map_err(WorkerError::Server)?;
        let waiting =
            Arc::new(Waiting { requests: Mutex::new(requests), ended: AtomicBool::new(false) });
        let (tell, told) = mpsc::channel();
        for _ in 0..self.n_requests.min(rows.len()) {
            let (post, waiting, tell) = (self.post.clone(), waiting.clone(), tell.clone());
            // Nobody waits for a request that is under way when the sweep is broken off: its text
            // is made again.
            std::thread::spawn(move || waiting.work(&post, &tell));
        }
        drop(tell);
        let ended = waiting.clone();
        let result = listen(&told, watcher);
        ended.ended.store(true, Ordering::SeqCst);
        result
    }
}

/// What comes back from those who send requests.
enum WorkerEvent {
    Sample(Box<Sample>),
    /// Why one of them waits.
    Waits(String),
    /// What can't be mended.
    Failed(String),
}

/// Requests that nobody has taken yet, and whether the work is over.
struct Waiting {
    requests: Mutex<VecDeque<(Row, Value)>>,
    ended: AtomicBool,
}

impl Waiting {
    /// Sends one request after the other, until there are none, one fails for good, or the work is
    /// over.
    fn work(&self, post: &Post, tell: &mpsc::Sender<WorkerEvent>) {
        loop {
            let next = self.requests.lock().ok().and_then(|mut requests| requests.pop_front());
            let Some((row, body)) = next.filter(|_| !self.ended.load(Ordering::SeqCst)) else {
                return;
            };
            // Whoever no longer listens has set `ended`.
            let waits = |why| drop(tell.send(WorkerEvent::Waits(why)));
            let sample = post
                .send(&body, &self.ended, &waits)
                .and_then(|answer| answer::sample(row, &answer));
            let told = sample
                .map_or_else(WorkerEvent::Failed, |sample| WorkerEvent::Sample(Box::new(sample)));
            let is_over = matches!(told, WorkerEvent::Failed(_));
            if tell.send(told).is_err() || is_over {
                return;
            }
        }
    }
}

fn listen(
    told: &mpsc::Receiver<WorkerEvent>,
    watcher: &mut dyn Watcher,
) -> Result<(), WorkerError> {
    loop {
        let next = match told.recv_timeout(TICK) {
            Ok(WorkerEvent::Sample(sample)) => {
                // Tokens are known when the text is whole.
                match watcher.tokens(sample.tokens.len()) {
                    ControlFlow::Continue(()) => watcher.finished(*sample, Vec::new()),
                    over => over,
                }
            }
            Ok(WorkerEvent::Waits(why)) => watcher.waits(&why),
            Ok(WorkerEvent::Failed(problem)) => return Err(WorkerError::Server(problem)),
            Err(mpsc::RecvTimeoutError::Timeout) => watcher.tokens(0),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
        };
        if next.is_break() {
            return Ok(());
        }
    }
}
