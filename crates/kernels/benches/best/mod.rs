//! Times a closure and takes the fastest run, since other processes may share the machine.

use std::time::Instant;

/// Seconds of the fastest of `n_samples` runs.
pub(crate) fn best(n_samples: usize, mut work: impl FnMut()) -> f64 {
    let secs = (0..n_samples).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64()
    });
    secs.fold(f64::INFINITY, f64::min)
}
