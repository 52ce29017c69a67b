//! Answers requests without a socket and without an engine thread, for the fuzz targets.
//!
//! Router, gate and parsers are the server's own. The queue is closed, so a request that needs a
//! step of the model ends with 503. Structured output isn't compiled.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
    response::Response,
};
use kelvin_constraint::FormError;
use kelvin_engine::{Engine, batch::Guesses, chat::Day, transformer::CacheFormat};
use tower_service::Service;

use super::{Budget, Host, Options, Shared, metrics::Metrics, queue::Queue, routes::router};

/// The bounds of a small server: tokens of a text, texts at once, pages, waiting prompts.
const LIMIT: usize = 250;
const ROOM: Budget = Budget { n_texts: 16, n_pages: 200 };
const WAITING: usize = 8;
/// The date for chat templates.
const DATE: &str = "2026-01-01";
/// Upper bound of an answer's size in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// A server that never steps its model.
pub struct DryRun {
    runtime: tokio::runtime::Runtime,
    router: Router,
}

impl DryRun {
    /// Of an open engine.
    ///
    /// # Errors
    /// If threads can't be started.
    pub fn new(engine: Engine) -> anyhow::Result<DryRun> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let queue = Arc::new(Queue::new(WAITING));
        queue.close();
        let options = Options {
            names: vec!["tiny".to_string()],
            sha256: None,
            cache: CacheFormat::default(),
            guesses: Guesses::Off,
            draft_model: None,
            limit: LIMIT,
            room: ROOM,
            queue: WAITING,
            key: None,
            day: Day::read(Some(DATE))?,
            starts_recommended: false,
            origins: Vec::new(),
            connections: 1,
            calibration: None,
            patience: Duration::from_secs(10),
            drain: Duration::ZERO,
            menu: Default::default(),
            sessions: None,
        };
        let host = Host { is_loopback: true, run: "dry".to_string(), is_dry: true };
        let metrics = Arc::new(Metrics::default());
        let shared = Shared {
            forms: OnceLock::from(Err(FormError::Endless)),
            since: 0,
            ..Shared::new(engine, queue, metrics, options, host)
        };
        Ok(DryRun { runtime, router: router(Arc::new(shared)) })
    }

    /// Status and body of the answer to a POST; 400 and no body where `path` is none.
    pub fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_vec()));
        let Ok(request) = request else { return (StatusCode::BAD_REQUEST.as_u16(), Vec::new()) };
        self.runtime.block_on(async {
            let answer: Result<Response, Infallible> = self.router.clone().call(request).await;
            let Ok(answer) = answer;
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), MAX_ANSWER).await;
            (status, body.map(Vec::from).unwrap_or_default())
        })
    }
}
