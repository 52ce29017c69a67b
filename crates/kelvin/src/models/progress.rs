//! Bytes so far in, a progress bar on standard error out (which hides itself where that is no
//! terminal).

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for a download of `total` bytes (0: not known yet).
pub(crate) fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "  {bar:30} {bytes:>10} of {total_bytes} · {bytes_per_sec} · {eta} left";
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A size as people say it, in powers of ten, as download pages and PyPI do.
pub(crate) fn megabytes(bytes: u64) -> String {
    if bytes >= 1_000_000_000 {
        format!("{:.1} GB", bytes as f64 / 1e9)
    } else {
        format!("{:.0} MB", bytes as f64 / 1e6)
    }
}
