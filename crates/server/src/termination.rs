//! SIGTERM in, how often it came out. A process listens from the first question on, also between
//! two servers: whoever chose another model may end the process before that is served.

use std::sync::{
    Once,
    atomic::{AtomicUsize, Ordering},
};

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BEGUN: Once = Once::new();

/// How often the process was asked to end by SIGTERM since this was asked first. Elsewhere than on
/// Unix, never.
pub fn terminations() -> usize {
    BEGUN.call_once(listen);
    COUNT.load(Ordering::SeqCst)
}

/// Counts signals on a thread of its own. Where that can't be, SIGTERM ends the process as it does
/// any other.
#[cfg(unix)]
fn listen() {
    use tokio::signal::unix::{SignalKind, signal};

    let (began, is_listening) = std::sync::mpsc::channel();
    let count = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(mut signals) = signal(SignalKind::terminate()) else { return };
            let _ = began.send(());
            while signals.recv().await.is_some() {
                COUNT.fetch_add(1, Ordering::SeqCst);
            }
        });
    };
    if std::thread::Builder::new().name("signals".to_string()).spawn(count).is_ok() {
        let _ = is_listening.recv();
    }
}

#[cfg(not(unix))]
fn listen() {}
