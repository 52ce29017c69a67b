//! Errors of fetching: the message, and whether the partial download can be resumed.

use std::{io, path::Path};

use anyhow::anyhow;

use super::place;

/// Marks an error after which the partial download can't be resumed and is removed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Hopeless(String);

pub(crate) fn is_hopeless(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Hopeless>())
}

/// The caller ended the download. What came so far is kept.
#[derive(Debug, thiserror::Error)]
#[error("the download was stopped")]
struct Stopped;

/// The error of a download that the caller ended.
pub(crate) fn stopped() -> anyhow::Error {
    anyhow::Error::new(Stopped)
}

/// Whether no other source is tried: the fault is none of this source's.
pub(crate) fn is_final(error: &anyhow::Error) -> bool {
    is_hopeless(error) || error.chain().any(|cause| cause.is::<Stopped>())
}

/// The message for a failed write: the disk is full, or the directory can't be written to.
pub(crate) fn explain(directory: &Path, error: &io::Error) -> anyhow::Error {
    // The message names the models directory. The work directory inside it will be gone when the
    // user reads this.
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
