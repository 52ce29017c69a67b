//! Answers requests in the process, without sockets and threads, as a browser's tab does: requests
//! in, pieces of answers out. The caller drives it, one step of the model at a time.
//!
//! Router, gate, parsers and engine are the server's own. Forms of structured output are compiled
//! in the process: one on which the parser fails ends it, which costs a tab its worker.

use std::{collections::BTreeMap, convert::Infallible, pin::Pin, sync::Arc, task::Context};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
    response::Response,
};
use futures_util::{FutureExt, task::noop_waker_ref};
use http_body_util::BodyExt;
use kelvin_constraint::Forms;
use kelvin_engine::Engine;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_service::Service;

use super::{Host, Options, Shared, batch, metrics::Metrics, queue::Queue, routes::router};

/// A server in the process.
pub struct Local {
    /// Its timers never fire, since nothing here waits; code of the routes asks for one.
    runtime: tokio::runtime::Runtime,
    router: Router,
    thread: batch::Thread,
    answers: BTreeMap<u32, Answer>,
    n_requests: u32,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The first one.
    Head {
        /// The status code of HTTP.
        status: u16,
        /// The header `Content-Type`, empty without one.
        content_type: String,
    },
    /// Bytes of the body; an event of a stream is a piece.
    Body(Vec<u8>),
    /// Nothing follows.
    End,
}

/// An answer on its way.
struct Answer {
    /// Sends the pieces. None when it has sent them all.
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pieces: UnboundedReceiver<Piece>,
}

impl Local {
    /// Of an open engine. Connections, patience and drain of the options mean nothing here.
    ///
    /// # Errors
    /// If there is no memory for the keys and values of the options' room.
    pub fn new(engine: Engine, options: Options) -> anyhow::Result<Local> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let queue = Arc::new(Queue::new(options.queue));
        let metrics = Arc::new(Metrics::default());
        let (cache, of_batch) =
            (options.cache, batch::options(options.cache, options.room, options.guesses));
        let host = Host { is_loopback: true, run: "local".to_string(), is_dry: true };
        let shared = Arc::new(Shared {
            make_forms: Forms::in_process,
            ..Shared::new(engine, Arc::clone(&queue), Arc::clone(&metrics), options, host)
        });
        shared.make_room(cache, None)?;
        let thread = batch::Thread::new(Arc::clone(&shared.engine), of_batch, queue, metrics);
        let (router, answers) = (router(shared), BTreeMap::new());
        Ok(Local { runtime, router, thread, answers, n_requests: 0 })
    }

    /// Takes a POST with a JSON body, or a GET without one; returns its number. `None` if `path`
    /// isn't the path of a URL.
    pub fn request(&mut self, path: &str, body: Option<Vec<u8>>) -> Option<u32> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, Body::from))
            .ok()?;
        let (sender, pieces) = unbounded_channel();
        let work = Some(answer(self.router.clone(), request, sender).boxed());
        self.n_requests += 1;
        self.answers.insert(self.n_requests, Answer { work, pieces });
        Some(self.n_requests)
    }

    /// Forgets a request; the engine stops working on it.
    pub fn cancel(&mut self, number: u32) {
        self.answers.remove(&number);
    }

    /// Answers as far as is possible at once, then runs one step of the model. Whether anything is
    /// left to do.
    pub fn turn(&mut self) -> bool {
        self.advance();
        let is_running = self.thread.turn();
        self.advance();
        is_running || self.answers.values().any(|answer| answer.work.is_some())
    }

    /// The next piece of an answer, if it is there. After [`Piece::End`] the request is forgotten.
    pub fn piece(&mut self, number: u32) -> Option<Piece> {
        let piece = self.answers.get_mut(&number)?.pieces.try_recv().ok()?;
        if piece == Piece::End {
            self.answers.remove(&number);
        }
        Some(piece)
    }

    /// Lets every answer go on until it waits for the model.
    fn advance(&mut self) {
        let _timers = self.runtime.enter();
        let mut context = Context::from_waker(noop_waker_ref());
        for answer in self.answers.values_mut() {
            if let Some(work) = &mut answer.work
                && work.as_mut().poll(&mut context).is_ready()
            {
                answer.work = None;
            }
        }
    }
}

/// Answers a request piece by piece.
async fn answer(mut router: Router, request: Request<Body>, pieces: UnboundedSender<Piece>) {
    let response: Result<Response, Infallible> = router.call(request).await;
    let Ok(response) = response;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, content_type) = (response.status().as_u16(), content_type.to_string());
    // Nobody takes the pieces of a cancelled request.
    let _ = pieces.send(Piece::Head { status, content_type });
    let mut body = response.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            let _ = pieces.send(Piece::Body(data.to_vec()));
        }
    }
    let _ = pieces.send(Piece::End);
}
