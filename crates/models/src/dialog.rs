//! What fetching a model tells its caller: sentences for people, progress, and a question.

use std::ops::ControlFlow;

/// Receives messages, progress and questions while a model is fetched.
pub trait Dialog {
    /// Shows a sentence.
    fn note(&self, sentence: &str);

    /// Asks whether the terms of use, shown just before, are accepted. `None` if nobody can answer.
    ///
    /// # Errors
    /// If the answer can't be read.
    fn accepts_terms(&self) -> anyhow::Result<Option<bool>>;

    /// A download of `total` bytes begins. The returned display is dropped when the download ends.
    fn begin(&self, total: u64) -> Box<dyn Progress>;
}

/// The display of one download.
pub trait Progress {
    /// Number of bytes downloaded so far. `Break` ends the download; it can be resumed later.
    fn set(&self, n_bytes: u64) -> ControlFlow<()>;
}

/// A size in decimal units (1 MB = 10^6 bytes), as download pages and PyPI show it.
pub fn megabytes(bytes: u64) -> String {
    if bytes >= 1_000_000_000 {
        format!("{:.1} GB", bytes as f64 / 1e9)
    } else {
        format!("{:.0} MB", bytes as f64 / 1e6)
    }
}

/// A dialog for tests that shows nothing.
#[cfg(test)]
pub(crate) struct Silent;

#[cfg(test)]
impl Dialog for Silent {
    fn note(&self, _: &str) {}

    fn accepts_terms(&self) -> anyhow::Result<Option<bool>> {
        Ok(None)
    }

    fn begin(&self, _: u64) -> Box<dyn Progress> {
        Box::new(Silent)
    }
}

#[cfg(test)]
impl Progress for Silent {
    fn set(&self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
