//! Why fetching failed: whether what is there is worth keeping, and the sentence for people.

use std::{io, path::Path};

use anyhow::anyhow;

use super::place;

/// Marks an error after which nothing in the working directory is worth keeping.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Hopeless(String);

pub(crate) fn is_hopeless(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Hopeless>())
}

/// A write that failed, as the sentence for people: it is the disk or the directory.
pub(crate) fn explain(directory: &Path, error: &io::Error) -> anyhow::Error {
    // People know the models directory; the working directory in it will be gone when they read
    // this.
    let is_work = directory.extension().is_some_and(|extension| extension == "partial");
    let directory = directory.parent().filter(|_| is_work).unwrap_or(directory);
    let sentence = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            return anyhow!("a downloaded package is damaged ({error})");
        }
        _ => place::unwritable(directory, error).to_string(),
    };
    anyhow::Error::new(Hopeless(sentence))
}
