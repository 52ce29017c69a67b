//! Work in, the seconds of its quickest run out: the machine may have other tenants.

use std::time::Instant;

/// The best of so many runs.
pub(crate) fn best(n_samples: usize, mut work: impl FnMut()) -> f64 {
    let secs = (0..n_samples).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64()
    });
    secs.fold(f64::INFINITY, f64::min)
}
