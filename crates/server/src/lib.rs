//! The HTTP server: an OpenAI-compatible API and the studio, over an open engine.
//!
//! A request passes `gate`. `body`, `fields`, `controls` and `prompts` parse it within `limits`.
//! `queue` holds its jobs until the engine thread (`batch`) takes them. `reply` builds the
//! response, and `stream` sends it as events.

mod answers;
mod batch;
mod body;
mod completions;
mod connections;
mod controls;
mod dry_run;
mod fields;
mod forms;
mod gate;
mod history;
mod limits;
mod metrics;
mod openapi;
mod origins;
mod patience;
mod places;
mod problem;
mod prompts;
mod queue;
mod reply;
mod responses;
mod routes;
mod scores;
mod serving;
mod stream;
mod studio;
mod texts;
mod turns;
mod web;

use std::{
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kelvin_constraint::{FormError, Forms};
use kelvin_engine::{Engine, chat::Day};
use kelvin_views::recommended::Recommended;
use tokio::sync::Semaphore;

pub use dry_run::DryRun;
pub use gate::Key;
pub use kelvin_engine::batch::Budget;
pub use openapi::document as api_document;
pub use origins::Origin;
pub use serving::{Options, serve};

use metrics::Metrics;
use problem::Problem;
use queue::Queue;

/// The state that all routes share.
pub(crate) struct Shared {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    room: Budget,
    /// The names that the model goes by; the first is its own.
    names: Vec<String>,
    /// Tokens that a text may have.
    limit: usize,
    key: Option<Key>,
    /// The date for chat templates, if a request names none.
    day: Day,
    /// What the model file recommends.
    recommended: Option<Recommended>,
    /// Whether requests that choose no chain and no profile start from that.
    starts_recommended: bool,
    /// The vocabulary for constraints, made on first use; or why it can't be made.
    forms: OnceLock<Result<Forms, FormError>>,
    /// Rows of logits that the studio requested.
    rows: studio::Rows,
    /// The time that a client has for its part.
    patience: Duration,
    is_loopback: bool,
    /// Foreign origins whose pages may use the server.
    origins: Vec<Origin>,
    /// Places for large bodies, from when they are read until they have been worked on.
    large_bodies: Arc<Semaphore>,
    /// Places for those that are worked on.
    large_at_work: Arc<Semaphore>,
    /// When the server began, in seconds since 1970.
    since: u64,
    /// Sets this run's request ids apart from another's.
    run: String,
    n_requests: AtomicU64,
}

impl Shared {
    /// Seconds since 1970.
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(self.since, |since| since.as_secs())
    }

    /// Runs slow work on a blocking thread.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Problem::failed("reading the request panicked; this is a bug")))
    }
}
