//! Finished samples in, runs out: one SQLite file, whose tables `schema.sql` documents.
//!
//! A sample is one transaction, synced to the disk before [`Store::put`] returns, and unique by run, prompt, chain and number. So a kill at any
//! moment loses nothing that was reported and doubles nothing.

mod error;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use read::{Listed, Sitting};

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use error::{PATIENCE_SECS, SHUT};

/// "Kelv": what SQLite keeps in the file's header to tell whose it is.
const APPLICATION: i64 = 0x4B65_6C76;
/// The version of `schema.sql`.
const SCHEMA: i64 = 1 + UPGRADES.len() as i64;
/// What brings a file of version 1, 2 … to the next one. A file that is only read stays as it is.
const UPGRADES: [&str; 2] = [
    "ALTER TABLE runs ADD COLUMN ask_metrics TEXT; ALTER TABLE runs ADD COLUMN ask_judge TEXT;",
    "ALTER TABLE runs ADD COLUMN embedder TEXT; ALTER TABLE samples ADD COLUMN embedding BLOB;",
];

/// A run's number in its database.
pub type RunId = i64;

/// An open database of runs.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
    /// The file's version: that of an older Kelvin, if the file is only read.
    schema: i64,
}

impl Store {
    /// Opens the file to write runs into it; makes it, and its folder, if need be.
    ///
    /// # Errors
    /// If it can't be written, isn't a database of runs, or a newer version's.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let read_only = |problem: String| StoreError::ReadOnly { path: path.to_path_buf(), problem };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|error| read_only(format!("its folder can't be made ({error})")))?;
        }
        let mut store =
            Store::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        match store.version()? {
            0 => store.make()?,
            SCHEMA => {}
            _ => store.upgrade()?,
        }
        store.schema = SCHEMA;
        if store.db.is_readonly("main").unwrap_or(false) {
            return Err(read_only(SHUT.into()));
        }
        // What was reported survives a power cut, not only a kill.
        store.db.execute_batch("PRAGMA synchronous = FULL").map_err(|error| store.explain(error))?;
        Ok(store)
    }

    /// Opens the file to read; it may lie in a folder that can't be written.
    ///
    /// # Errors
    /// If it isn't there, isn't a database of runs, or a newer version's.
    pub fn open_to_read(path: &Path) -> Result<Store, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_path_buf() });
        }
        let opened = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|store| store.version().map(|v| (store, v)));
        let (mut store, version) = match opened {
            // A log needs files beside the database; where they can't be made there is none, and nobody writes.
            Err(StoreError::ReadOnly { .. }) => {
                let address = format!("file:{}?immutable=1", escaped(path));
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                let db = Connection::open_with_flags(&address, flags);
                let db = db.map_err(|error| StoreError::of(path, error))?;
                let store = Store { db, path: path.to_path_buf(), schema: 0 };
                let version = store.version()?;
                (store, version)
            }
            other => other?,
        };
        match version {
            0 => Err(StoreError::Foreign { path: path.to_path_buf(), problem: "it is empty".into() }),
            _ => {
                store.schema = version;
                Ok(store)
            }
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Store, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Foreign { path: path.to_path_buf(), problem: "it is a folder".into() });
        }
        let explained = |error| StoreError::of(path, error);
        let db =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(explained)?;
        db.busy_timeout(Duration::from_secs(PATIENCE_SECS)).map_err(explained)?;
        Ok(Store { db, path: path.to_path_buf(), schema: 0 })
    }

    /// The schema's version: 0 if the file is new. Refuses what isn't ours.
    fn version(&self) -> Result<i64, StoreError> {
        let number = |pragma: &str| -> Result<i64, StoreError> {
            self.db.query_row(pragma, [], |row| row.get(0)).map_err(|error| self.explain(error))
        };
        let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
        let n_tables = number("SELECT count(*) FROM sqlite_schema")?;
        if application != APPLICATION && n_tables > 0 {
            return Err(StoreError::Foreign {
                path: self.path.clone(),
                problem: "it is a database of another program".into(),
            });
        }
        if version > SCHEMA {
            return Err(StoreError::Newer { path: self.path.clone(), found: version, known: SCHEMA });
        }
        Ok(version)
    }

    /// Makes the tables of a new file, all or none.
    fn make(&mut self) -> Result<(), StoreError> {
        let all = format!(
            "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;",
            include_str!("schema.sql")
        );
        match self.db.execute_batch(&all) {
            Ok(()) => Ok(()),
            // Somebody else made them at the same moment.
            Err(_) if self.version()? == SCHEMA => Ok(()),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Brings the tables of an older version up to this one, all or none.
    fn upgrade(&mut self) -> Result<(), StoreError> {
        let explained = |error| StoreError::of(&self.path, error);
        let db = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
        // Under the lock: somebody else may have done it at the same moment.
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explained)?;
        for upgrade in UPGRADES.iter().skip(version.max(1) as usize - 1) {
            db.execute_batch(upgrade).map_err(explained)?;
        }
        db.execute_batch(&format!("PRAGMA user_version = {SCHEMA}")).map_err(explained)?;
        db.commit().map_err(explained)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn explain(&self, error: rusqlite::Error) -> StoreError {
        StoreError::of(&self.path, error)
    }

    fn damaged(&self, problem: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), problem: problem.into() }
    }
}

/// A path as SQLite's addresses have it.
fn escaped(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
