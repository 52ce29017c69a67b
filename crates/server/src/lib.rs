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

/// What every route knows.
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
    /// The date of templates that ask for one, if a request names none.
    day: Day,
    /// What the model file recommends.
    recommended: Option<Recommended>,
    /// Whether requests that choose no chain and no profile start from that.
    starts_recommended: bool,
    /// The vocabulary as the parser of constraints reads it, once somebody has asked for one; or
    /// why there is none.
    forms: OnceLock<Result<Forms, FormError>>,
    /// Logits that the studio looked at.
    rows: studio::Rows,
    /// How long a client may take for its part.
    patience: Duration,
    is_loopback: bool,
    /// Whose pages may ask, beside its own.
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

    /// Does work that takes a while on a thread where nobody waits for it.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Problem::failed("reading the request panicked; this is a bug")))
    }
}
