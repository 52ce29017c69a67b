//! The SQLite database of runs. `schema.sql` documents the tables.
//!
//! A sample is one transaction, synced to disk before [`Store::put`] returns, and unique by run,
//! prompt, chain and sample number. A process killed at any moment loses no sample that was
//! reported and stores none twice.

mod error;
mod read;
mod scores;
mod write;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use read::{Listed, Session};

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use error::{PATIENCE_SECS, SHUT};

/// SQLite's `application_id`: "Kelv".
const APPLICATION: i64 = 0x4B65_6C76;
/// The version of `schema.sql`.
const SCHEMA: i64 = 1 + UPGRADES.len() as i64;
/// The statements that upgrade version 1, 2 … to the next one. A file opened for reading is never
/// upgraded.
const UPGRADES: [&str; 5] = [
    "ALTER TABLE runs ADD COLUMN ask_metrics TEXT; ALTER TABLE runs ADD COLUMN ask_judge TEXT;",
    "ALTER TABLE runs ADD COLUMN embedder TEXT; ALTER TABLE samples ADD COLUMN embedding BLOB;",
    "CREATE TABLE scores (sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE, \
     definition TEXT NOT NULL, value REAL, problem TEXT, PRIMARY KEY (sample, definition)) \
     STRICT, WITHOUT ROWID;",
    "ALTER TABLE samples ADD COLUMN whole TEXT;",
    "ALTER TABLE runs ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0;",
];

/// The number of a run in its database.
pub type RunId = i64;

/// An open database of runs.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
    /// The schema version of the file: an older one, if the file was opened for reading.
    schema: i64,
    /// The hashes of runs begun by this connection. SQLite reuses a run's number after its removal.
    begun: HashMap<RunId, String>,
}

/// How long a reader waits for the tables of a file that another process is creating.
const MAKING: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// Retries `work` while another connection holds the lock, up to the lock's time limit. SQLite's
/// own busy handler isn't enough: it doesn't cover a read transaction that becomes a write, such as
/// a change of the journal mode.
fn retry_while_locked<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let end = Instant::now() + Duration::from_secs(PATIENCE_SECS);
    loop {
        match work() {
            Err(StoreError::Busy { .. }) if Instant::now() < end => thread::sleep(PAUSE),
            other => return other,
        }
    }
}

impl Store {
    /// The database that is used unless another is named: `runs.db` in the platform's data folder
    /// for kelvin, if the platform has one.
    pub fn usual_path() -> Option<PathBuf> {
        Some(dirs::data_dir()?.join("kelvin").join("runs.db"))
    }

    /// Opens the database for writing, and creates the file and its folder if needed.
    ///
    /// # Errors
    /// If it can't be written, isn't a database of runs, or a newer version's.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let read_only =
            |problem: String| StoreError::ReadOnly { path: path.to_path_buf(), problem };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|error| read_only(format!("its folder can't be made ({error})")))?;
        }
        let mut store = Store::connect(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )?;
        match retry_while_locked(|| store.version())? {
            0 => store.make()?,
            SCHEMA => {}
            _ => retry_while_locked(|| store.upgrade())?,
        }
        store.schema = SCHEMA;
        if store.db.is_readonly("main").unwrap_or(false) {
            return Err(read_only(SHUT.into()));
        }
        // `synchronous=FULL`: a reported sample survives a power cut, not only a killed process.
        store
            .db
            .execute_batch("PRAGMA synchronous = FULL")
            .map_err(|error| store.explain(error))?;
        Ok(store)
    }

    /// Opens the database for reading. Its folder may be read-only.
    ///
    /// # Errors
    /// If it isn't there, isn't a database of runs, or a newer version's.
    pub fn open_to_read(path: &Path) -> Result<Store, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_path_buf() });
        }
        let opened = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|store| store.made_version().map(|v| (store, v)));
        let (mut store, version) = match opened {
            // WAL mode needs files beside the database. In a read-only folder there can be no
            // writer, so the file is opened as immutable.
            Err(StoreError::ReadOnly { .. }) => {
                let address = format!("file:{}?immutable=1", escaped(path));
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                let db = Connection::open_with_flags(&address, flags);
                let db = db.map_err(|error| StoreError::of(path, error))?;
                let store = Store::of(db, path);
                let version = store.version()?;
                (store, version)
            }
            other => other?,
        };
        match version {
            0 => {
                Err(StoreError::Foreign { path: path.to_path_buf(), problem: "it is empty".into() })
            }
            _ => {
                store.schema = version;
                Ok(store)
            }
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Store, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Foreign {
                path: path.to_path_buf(),
                problem: "it is a folder".into(),
            });
        }
        let explained = |error| StoreError::of(path, error);
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(explained)?;
        db.busy_timeout(Duration::from_secs(PATIENCE_SECS)).map_err(explained)?;
        Ok(Store::of(db, path))
    }

    fn of(db: Connection, path: &Path) -> Store {
        Store { db, path: path.to_path_buf(), schema: 0, begun: HashMap::new() }
    }

    /// The schema version: 0 for a new file. Files of other applications are refused.
    fn version(&self) -> Result<i64, StoreError> {
        self.at_once(|| {
            let number = |pragma: &str| -> Result<i64, StoreError> {
                self.db.query_row(pragma, [], |row| row.get(0)).map_err(|error| self.explain(error))
            };
            let (application, version) =
                (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
            let n_tables = number("SELECT count(*) FROM sqlite_schema")?;
            if application != APPLICATION && n_tables > 0 {
                return Err(StoreError::Foreign {
                    path: self.path.clone(),
                    problem: "it is a database of another program".into(),
                });
            }
            if version > SCHEMA {
                return Err(StoreError::Newer {
                    path: self.path.clone(),
                    found: version,
                    known: SCHEMA,
                });
            }
            Ok(version)
        })
    }

    /// The schema version for a reader. Waits briefly for tables that another process is creating.
    fn made_version(&self) -> Result<i64, StoreError> {
        let end = Instant::now() + MAKING;
        loop {
            match retry_while_locked(|| self.version())? {
                0 if Instant::now() < end => thread::sleep(PAUSE),
                version => return Ok(version),
            }
        }
    }

    /// Runs `read` in one transaction, so it sees one snapshot of the database while other
    /// processes write.
    fn at_once<T, E: From<StoreError>>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        // Inside another transaction the snapshot exists already. A read transaction has nothing to
        // commit.
        let _view = match self.db.is_autocommit() {
            true => Some(self.db.unchecked_transaction().map_err(|error| self.explain(error))?),
            false => None,
        };
        read()
    }

    /// Creates the tables of a new file in one transaction. Several processes may try at once: one
    /// creates them, the others find them.
    fn make(&mut self) -> Result<(), StoreError> {
        // The journal mode can only be changed outside a transaction. In WAL mode readers never
        // wait for a writer.
        retry_while_locked(|| {
            let changed = self.db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
            changed.map_err(|error| self.explain(error))
        })?;
        retry_while_locked(|| {
            let path = &self.path;
            let explained = |error| StoreError::of(path, error);
            let db = self
                .db
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(explained)?;
            let version: i64 =
                db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explained)?;
            if version != 0 {
                return Ok(());
            }
            let all = format!(
                "{} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};",
                include_str!("schema.sql")
            );
            db.execute_batch(&all).map_err(explained)?;
            db.commit().map_err(explained)
        })
    }

    /// Upgrades the tables of an older version in one transaction.
    fn upgrade(&mut self) -> Result<(), StoreError> {
        let explained = |error| StoreError::of(&self.path, error);
        let db =
            self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
        // Checked again under the lock: another process may have upgraded the file.
        let version: i64 =
            db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explained)?;
        for upgrade in UPGRADES.iter().skip(version.max(1) as usize - 1) {
            db.execute_batch(upgrade).map_err(explained)?;
        }
        db.execute_batch(&format!("PRAGMA user_version = {SCHEMA}")).map_err(explained)?;
        db.commit().map_err(explained)
    }

    /// The path of the database.
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

/// A path escaped for SQLite's URI syntax.
fn escaped(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
