//! Turns SQLite's errors into errors that say what to do.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

/// Why the database of runs can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error(
        "the disk that holds {path} is full; all reported texts are stored: free some space and run \
         the same command again to continue"
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file can't be written or created.
    #[error("can't write {path}: {problem}; choose another place with --db")]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The file doesn't exist.
    #[error(
        "there are no runs yet: {path} doesn't exist (`kelvin sweep` makes it; --db names another)"
    )]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// A newer version of Kelvin wrote the file.
    #[error(
        "{path} was written by a newer version of Kelvin (schema {found}, this one knows {known}): \
         update Kelvin, or choose another file with --db"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest known schema version.
        known: i64,
    },
    /// The file isn't a database of Kelvin's runs.
    #[error("{path} isn't a database of Kelvin's runs ({problem}); --db names another file")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        problem: String,
    },
    /// Another process holds the lock for too long.
    #[error(
        "{path} is in use by another program for longer than {waited_secs} s; try again when it's \
         done"
    )]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long Kelvin waited.
        waited_secs: u64,
    },
    /// No run, or several runs, match a name.
    #[error("{problem}")]
    Name {
        /// The name, and the runs that exist.
        problem: String,
    },
    /// Another process removed the run during the sweep.
    #[error(
        "run {run} and its texts were removed from {path} during the sweep; the same command begins \
         it anew"
    )]
    Removed {
        /// The database.
        path: PathBuf,
        /// The run's number.
        run: i64,
    },
    /// Stored data can't be parsed.
    #[error("{path} holds something that can't be read: {problem}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What, and in which row.
        problem: String,
    },
    /// Any other error of SQLite.
    #[error("{path}: {problem}")]
    Other {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        problem: String,
    },
}

/// The time limit for a lock of another process.
pub(super) const PATIENCE_SECS: u64 = 60;

/// Why nothing can be written although the file can be read.
pub(super) const SHUT: &str = "the file or its folder is read-only";

impl StoreError {
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> StoreError {
        let (path, problem) = (path.to_path_buf(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            // Only the shared-memory file is ever extended, so this is a disk that was full from
            // the start.
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
