//! Work in, the time that it took out.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Does `work`; tells how long this thread computed. A machine that is busy isn't slow code. Where
/// the system doesn't tell that (Linux does), it is the time that passed.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (begun, computed) = (Instant::now(), computed());
    let result = work();
    let took = match (computed, self::computed()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => begun.elapsed(),
    };
    (result, took)
}

/// How long this thread has computed.
fn computed() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
