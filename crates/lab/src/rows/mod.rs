//! Rows that cross machines: finished texts of a recipe as Parquet files.
//!
//! A row's text depends on the row alone, so any machine may finish any rows. A [`Job`] says what
//! the rows are: the recipe and the model file. A [`RowWorker`] finishes some of them. A file of
//! rows ([`write()`], [`Reader`]) holds exactly what `sweep` would have stored, and [`import`] puts
//! it into a database. Equal runs give equal bytes: a file names no time and no machine.

mod column;
mod file;
mod import;
mod table;
mod work;

pub use crate::job::Job;
pub use file::{Reader, Writer, export, sorted, write};
pub use import::{Imported, Taking, import};
pub use work::RowWorker;

use crate::{job::JobError, recorded::RecordedLogits, run::Sample, store::StoreError, worker::Row};

/// A row that a worker has finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Which row.
    pub row: Row,
    /// The text with the logits that the recipe records, or why the row can't have one.
    pub outcome: Result<(Sample, Vec<RecordedLogits>), String>,
}

/// Why rows can't be read, written or stored.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The JSON of a job is invalid.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A file or folder can't be read, or holds something else than rows of the job.
    #[error("{name}: {problem}")]
    File {
        /// The file or folder.
        name: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// Rows can't be written.
    #[error("writing rows failed: {0}")]
    Write(String),
    /// The database can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
