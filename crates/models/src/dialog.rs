//! What fetching a model tells its caller: sentences for people, progress, and a question.

/// The person (or program) for whom a model is fetched.
pub trait Dialog {
    /// Tells a sentence.
    fn note(&self, sentence: &str);

    /// Asks whether the terms of use, which were just told, are accepted. `None` where nobody can
    /// answer.
    ///
    /// # Errors
    /// If the answer can't be read.
    fn accepts_terms(&self) -> anyhow::Result<Option<bool>>;

    /// A download of `total` bytes begins. What is returned is dropped when it ends.
    fn begin(&self, total: u64) -> Box<dyn Progress>;
}

/// The display of one download.
pub trait Progress {
    /// So many bytes are here.
    fn set(&self, n_bytes: u64);
}

/// A size as people say it, in powers of ten, as download pages and PyPI do.
pub fn megabytes(bytes: u64) -> String {
    if bytes >= 1_000_000_000 {
        format!("{:.1} GB", bytes as f64 / 1e9)
    } else {
        format!("{:.0} MB", bytes as f64 / 1e6)
    }
}

/// Nobody listens, in tests.
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
    fn set(&self, _: u64) {}
}
