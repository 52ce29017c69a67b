//! Serves connections until a signal asks the process to stop, then drains: running requests finish
//! within a stated time.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

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
use kelvin_engine::{Engine, chat::Day, transformer::CacheFormat};
use kelvin_views::recommended::Recommended;
use tokio::{net::TcpListener, sync::Semaphore};

use super::{
    Budget, Key, Origin, Shared, batch,
    connections::{Connections, TrackedBody},
    limits::{MAX_AT_WORK, MAX_HEADER_BYTES, MAX_LARGE_BODIES, n_large_at_work},
    metrics::Metrics,
    patience::Patient,
    queue::Queue,
    routes::router,
    studio::Rows,
};

/// Time for the last writes after the drain.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How to serve.
pub struct Options {
    /// The names that the model goes by; the first is its own.
    pub names: Vec<String>,
    /// The format of the KV cache.
    pub cache: CacheFormat,
    /// Tokens that a text may have.
    pub limit: usize,
    /// How much runs at once.
    pub room: Budget,
    /// Prompts that may wait.
    pub queue: usize,
    /// The key that clients have to send, if one is set.
    pub key: Option<Key>,
    /// The date for chat templates, if a request names none.
    pub day: Day,
    /// Whether requests that choose no chain and no profile start from what the model file
    /// recommends.
    pub starts_recommended: bool,
    /// Foreign origins whose pages may use the server.
    pub origins: Vec<Origin>,
    /// Connections at once; more close the one that is idle longest.
    pub connections: usize,
    /// How long a client may take to send a request's header, to send its body, and to take what is
    /// written to it; a connection may be idle for so long as well.
    pub patience: Duration,
    /// How long running answers may take after a signal.
    pub drain: Duration,
}

/// Serves until `interrupted` says that Ctrl-C was pressed, or until SIGTERM; a second one cuts the
/// drain short. `ready` is told the address.
///
/// # Errors
/// If the address can't be listened on, or threads or memory are missing.
pub fn serve(
    engine: Engine,
    host: &str,
    port: u16,
    options: Options,
    interrupted: &dyn Fn() -> bool,
    ready: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
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
    let shared = Arc::new(Shared {
        recommended: Recommended::of(&engine.metadata),
        starts_recommended: options.starts_recommended,
        engine: Arc::new(engine),
        queue: Arc::clone(&queue),
        metrics: Arc::clone(&metrics),
        room: options.room,
        names: options.names,
        limit: options.limit,
        key: options.key,
        day: options.day,
        forms: OnceLock::new(),
        rows: Rows::default(),
        patience: options.patience,
        is_loopback: address.ip().is_loopback(),
        origins: options.origins,
        large_bodies: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
        large_at_work: Arc::new(Semaphore::new(n_large_at_work())),
        since: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        run: format!("{run:08x}"),
        n_requests: AtomicU64::new(0),
    });
    // From here on no step asks the system for memory.
    let made = shared.engine.model.make_pages(options.cache, options.room.n_pages);
    made.context("there is no memory for keys and values; give a smaller --room")?;
    let (for_thread, for_queue) = (Arc::clone(&shared.engine), Arc::clone(&queue));
    let room = options.room;
    let thread = thread::Builder::new()
        .name("engine".to_string())
        .spawn(move || batch::run(for_thread, options.cache, for_queue, metrics, room))
        .context("the engine's thread can't be started")?;
    ready(address)?;
    runtime.block_on(accept(listener, shared, interrupted, options.connections, options.drain));
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
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals<'_> {
    fn new(interrupted: &dyn Fn() -> bool) -> Signals<'_> {
        Signals {
            interrupted,
            was_interrupted: false,
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .ok(),
        }
    }

    /// Waits for the next signal.
    async fn next(&mut self) {
        loop {
            if (self.interrupted)() && !std::mem::replace(&mut self.was_interrupted, true) {
                return;
            }
            let pause = tokio::time::sleep(Duration::from_millis(50));
            #[cfg(unix)]
            if let Some(terminate) = &mut self.terminate {
                tokio::select! {
                    () = pause => continue,
                    _ = terminate.recv() => return,
                }
            }
            #[cfg(not(unix))]
            pause.await;
        }
    }
}
