//! What SQLite says in, what a person can do about it out.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

/// Why the database of runs can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room for another row.
    #[error(
        "there is no room left for {path}; what was reported is safe, so make room and run the same command again, which goes on from there"
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// It can't be written or made.
    #[error("can't write {path}: {problem}; choose another place with --db")]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// It isn't there.
    #[error(
        "there are no runs yet: {path} doesn't exist (`kelvin sweep` makes it; --db names another)"
    )]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// A later version of Kelvin wrote it.
    #[error(
        "{path} was written by a newer version of Kelvin (schema {found}, this one knows {known}): update Kelvin, or choose another file with --db"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// Something else than a database of runs.
    #[error("{path} isn't a database of Kelvin's runs ({problem}); --db names another file")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        problem: String,
    },
    /// Somebody else has held it for long.
    #[error(
        "{path} is in use by another program for longer than {waited_secs} s; try again when it's done"
    )]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long was waited.
        waited_secs: u64,
    },
    /// No run, or more than one, answers to a name.
    #[error("{problem}")]
    Name {
        /// What was asked for and what there is.
        problem: String,
    },
    /// Another process removed a run while it was worked at.
    #[error(
        "run {run} was removed from {path} while it was worked at, and its texts with it; the same command begins it anew"
    )]
    Removed {
        /// The database.
        path: PathBuf,
        /// The run's number.
        run: i64,
    },
    /// What is stored can't be understood.
    #[error("{path} holds something that can't be read: {problem}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What and where.
        problem: String,
    },
    /// Anything else.
    #[error("{path}: {problem}")]
    Other {
        /// The database.
        path: PathBuf,
        /// In SQLite's words.
        problem: String,
    },
}

/// How long a lock of somebody else's is waited for.
pub(super) const PATIENCE_SECS: u64 = 60;

/// Why nothing can be written where something can be read.
pub(super) const SHUT: &str = "the file or its folder is read-only";

impl StoreError {
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> StoreError {
        let (path, problem) = (path.to_path_buf(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            // Only the file that says who reads and writes is ever enlarged: a disk that was full
            // from the start.
            Some(ErrorCode::SystemIoFailure)
                if error
                    .sqlite_error()
                    .is_some_and(|e| e.extended_code == SQLITE_IOERR_SHMSIZE) =>
            {
                StoreError::Full { path }
            }
            Some(ErrorCode::SystemIoFailure) => StoreError::Other {
                path,
                problem: format!("it can't be read or written ({problem})"),
            },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path, problem: SHUT.into() },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => match File::open(&path) {
                Ok(_) => StoreError::ReadOnly { path, problem: SHUT.into() },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    StoreError::ReadOnly { path, problem: "it can't be made there".into() }
                }
                Err(error) => {
                    StoreError::Other { path, problem: format!("it can't be read ({error})") }
                }
            },
            Some(ErrorCode::NotADatabase) => {
                StoreError::Foreign { path, problem: "it is no SQLite file".into() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Busy { path, waited_secs: PATIENCE_SECS }
            }
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, problem },
            _ => StoreError::Other { path, problem },
        }
    }
}
