//! Serves connections until a signal asks the process to stop, then drains: running requests finish
//! within a stated time.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use anyhow::Context;
use hyper::{
    Request,
    body::{Body, Incoming},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use kelvin_engine::Engine;
use tokio::net::TcpListener;

use super::{
    Host, Options, Shared, batch,
    connections::{Connections, TrackedBody},
    limits::{MAX_AT_WORK, MAX_HEADER_BYTES},
    metrics::Metrics,
    patience::Patient,
    queue::Queue,
    routes::router,
    termination::terminations,
};

/// Time for the last writes after the drain.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `interrupted` says that Ctrl-C was pressed, or until SIGTERM; a second one cuts the
/// drain short. `ready` is told the address.
///
/// # Errors
/// If the address can't be listened on, or threads or memory are missing.
pub fn serve(
    engine: Engine,
    host: &str,
    port: u16,
    mut options: Options,
    interrupted: &dyn Fn() -> bool,
    ready: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // From here on SIGTERM is heard.
    terminations();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(MAX_AT_WORK)
        .enable_all()
        .build()
        .context("the threads for connections can't be started")?;
    let listener = runtime
        .block_on(TcpListener::bind((host, port)))
        .with_context(|| format!("can't listen on {host}:{port}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let run = getrandom::u32().context("drawing a random number from the system failed")?;
    let (queue, metrics) = (Arc::new(Queue::new(options.queue)), Arc::new(Metrics::default()));
    let host =
        Host { is_loopback: address.ip().is_loopback(), run: format!("{run:08x}"), is_dry: false };
    let (cache, room, guesses) = (options.cache, options.room, options.guesses);
    let (most, drain) = (options.connections, options.drain);
    let draft_model = options.draft_model.take();
    let shared = Shared::new(engine, Arc::clone(&queue), Arc::clone(&metrics), options, host);
    let shared = Arc::new(shared);
    // From here on no step asks the system for memory.
    let made = shared.make_room(cache, draft_model.as_ref());
    made.context("there is no memory for keys and values; give a smaller --cache-tokens")?;
    let (for_thread, for_queue) = (Arc::clone(&shared.engine), Arc::clone(&queue));
    let batch = batch::options(cache, room, guesses);
    let thread = thread::Builder::new()
        .name("engine".to_string())
        .spawn(move || batch::run(for_thread, batch, draft_model, for_queue, metrics))
        .context("the engine's thread can't be started")?;
    ready(address)?;
    runtime.block_on(accept(listener, shared, interrupted, most, drain));
    queue.abort();
    runtime.shutdown_timeout(Duration::from_millis(200));
    if thread.join().is_err() {
        tracing::error!("the engine's thread panicked");
    }
    tracing::info!("ended");
    Ok(())
}

/// Accepts and serves until the end is asked for, then drains.
async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    interrupted: &dyn Fn() -> bool,
    most: usize,
    drain: Duration,
) {
    let routes = TowerToHyperService::new(router(Arc::clone(&shared)));
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(most);
    let mut signals = Signals::new(interrupted);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: an idle connection may go for the new
                    // one.
                    let closed = connections.close_one();
                    tracing::warn!(%error, closed, "a connection couldn't be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = signals.next() => break,
        };
        let place = tokio::select! {
            place = connections.open() => place,
            () = signals.next() => break,
        };
        // Small events shouldn't wait for company.
        let _ = stream.set_nodelay(true);
        let (routes, owner) = (routes.clone(), Arc::clone(&place));
        let service = service_fn(move |mut request: Request<Incoming>| {
            if request.body().is_end_stream() {
                owner.has_request();
            }
            request.extensions_mut().insert(Arc::clone(&owner));
            let (answer, owner) = (routes.call(request), Arc::clone(&owner));
            async move { answer.await.map(|answer| answer.map(|body| TrackedBody::new(body, owner))) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(shared.patience)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(Patient::new(stream, shared.patience)), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = watched => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                },
                () = place.closed() => tracing::debug!("an idle connection went for a new one"),
            }
            place.leave();
        });
    }
    drop(listener);
    tracing::info!(
        drain_secs = drain.as_secs(),
        "ending: no new connections, what runs is finished"
    );
    shared.queue.close();
    let mut drained = std::pin::pin!(graceful.shutdown());
    let is_drained = tokio::select! {
        () = &mut drained => true,
        () = tokio::time::sleep(drain) => false,
        () = signals.next() => false,
    };
    if !is_drained {
        tracing::warn!("ending: what still runs is given up");
        shared.queue.abort();
        let _ = tokio::time::timeout(LAST_WORDS, &mut drained).await;
    }
}

/// Signals that end the server: Ctrl-C (a second one ends the process at once) and SIGTERM.
struct Signals<'a> {
    interrupted: &'a dyn Fn() -> bool,
    was_interrupted: bool,
    /// Of SIGTERM, so many were heard.
    terminated: usize,
}

impl Signals<'_> {
    fn new(interrupted: &dyn Fn() -> bool) -> Signals<'_> {
        Signals { interrupted, was_interrupted: false, terminated: 0 }
    }

    /// Waits for the next signal.
    async fn next(&mut self) {
        loop {
            if (self.interrupted)() && !std::mem::replace(&mut self.was_interrupted, true) {
                return;
            }
            if terminations() > self.terminated {
                self.terminated += 1;
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
