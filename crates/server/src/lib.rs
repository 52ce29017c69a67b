//! The HTTP server: an OpenAI-compatible API and the studio, over an open engine.
//!
//! A request passes `gate`. `body` reads its bytes within `limits`, `fields` makes one of the types
//! in `requests` of them, `controls` and `prompts` resolve it. `queue` holds its jobs until the
//! engine thread (`batch`) takes them. `reply` collects their events, `apis` writes the answer in
//! the format of the API, and `stream` sends it as events.

mod answers;
mod apis;
mod base64;
mod batch;
mod body;
mod completions;
#[cfg(feature = "net")]
mod connections;
mod controls;
mod decisions;
mod dry_run;
mod events;
mod fields;
mod forms;
mod gate;
mod limits;
mod local;
mod metrics;
mod openapi;
mod options;
mod origins;
mod outputs;
#[cfg(feature = "net")]
mod patience;
mod places;
mod problem;
mod prompts;
mod queue;
mod reply;
mod requests;
mod routes;
mod scores;
mod searches;
#[cfg(feature = "net")]
mod serving;
mod static_page;
mod stream;
mod studio;
#[cfg(feature = "net")]
mod termination;
mod texts;
mod turns;
mod web;
mod whole;
mod whole_text;

use std::{
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kelvin_constraint::{FormError, Forms};
use kelvin_engine::{
    Engine,
    batch::DraftModel,
    chat::Day,
    decide::{Calibrated, Labels},
    tokenizer::Tokenizer,
    transformer::{CacheFormat, Model, ModelError},
};
use kelvin_views::recommended::Recommended;
use tokio::sync::Semaphore;

pub use dry_run::DryRun;
pub use gate::Key;
pub use kelvin_engine::batch::Budget;
pub use local::{Local, Piece};
pub use openapi::document as api_document;
pub use options::Options;
pub use origins::Origin;
#[cfg(feature = "net")]
pub use serving::serve;
pub use static_page::{StaticEngine, StaticModel, write_static};
pub use studio::Menu;
#[cfg(feature = "net")]
pub use termination::terminations;

use fields::Bounds;
use limits::{MAX_LARGE_BODIES, n_large_at_work};
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
    /// SHA-256 of the model file, if the catalogue knows it.
    sha256: Option<String>,
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
    /// Makes it.
    make_forms: fn(&Tokenizer) -> Result<Forms, FormError>,
    /// The temperatures of decisions that were fitted for this model.
    calibration: Option<Calibrated>,
    /// The vocabulary by its texts, made on first use.
    labels: OnceLock<Labels>,
    /// Rows of logits that the studio requested.
    rows: studio::Rows,
    /// The models that the studio's menu offers.
    menu: Menu,
    /// Sessions on this machine's disk.
    sessions: Option<studio::Sessions>,
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
    /// Whether there is no thread but the one that asks.
    is_dry: bool,
}

/// What the place that a server runs in decides.
pub(crate) struct Host {
    /// Whether only this machine's programs can ask.
    is_loopback: bool,
    /// Sets this run's request ids apart from another's.
    run: String,
    /// Whether there is no thread but the one that asks.
    is_dry: bool,
}

impl Shared {
    /// The state at the start.
    fn new(
        engine: Engine,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        options: Options,
        host: Host,
    ) -> Shared {
        Shared {
            recommended: Recommended::of(&engine.metadata),
            starts_recommended: options.starts_recommended,
            engine: Arc::new(engine),
            queue,
            metrics,
            room: options.room,
            names: options.names,
            sha256: options.sha256,
            limit: options.limit,
            key: options.key,
            day: options.day,
            calibration: options.calibration,
            labels: OnceLock::new(),
            forms: OnceLock::new(),
            make_forms: Forms::new,
            rows: studio::Rows::default(),
            menu: options.menu,
            sessions: options.sessions.map(studio::Sessions::new),
            patience: options.patience,
            is_loopback: host.is_loopback,
            origins: options.origins,
            large_bodies: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
            large_at_work: Arc::new(Semaphore::new(n_large_at_work())),
            since: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            run: host.run,
            n_requests: AtomicU64::new(0),
            is_dry: host.is_dry,
        }
    }

    /// Allocates all pages and states of the budget, those of a draft model included, so that no
    /// step asks the system for memory.
    fn make_room(&self, cache: CacheFormat, draft: Option<&DraftModel>) -> Result<(), ModelError> {
        let models = draft.into_iter().map(|draft| &draft.engine().model);
        [&self.engine.model].into_iter().chain(models).try_for_each(|model: &Model| {
            model.make_pages(cache, self.room.n_pages)?;
            model.make_states(self.room.n_states())
        })
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(self.since, |since| since.as_secs())
    }

    /// Bounds of a request's values.
    fn bounds(&self) -> Bounds {
        Bounds { vocab_size: self.engine.tokenizer.vocab_size(), n_texts: self.room.n_texts }
    }

    /// Runs slow work on a blocking thread; a dry run does it at once.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        if self.is_dry {
            return work();
        }
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Problem::failed("reading the request panicked; this is a bug")))
    }
}
