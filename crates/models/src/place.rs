//! The models directory, its lock, and a directory for partial downloads.

use std::{
    fs::{self, TryLockError},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};

use super::{
    catalogue::{Entry, HubFile, Reference},
    dialog::Dialog,
};

/// Environment variable that overrides the models directory.
pub(crate) const VARIABLE: &str = "KELVIN_MODELS";

/// The directory: `KELVIN_MODELS`, else `kelvin` in the platform's cache directory.
///
/// # Errors
/// If neither the variable is set nor the platform has a cache directory.
pub fn directory() -> anyhow::Result<PathBuf> {
    if let Some(set) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(set));
    }
    let cache = dirs::cache_dir().ok_or_else(|| {
        anyhow!("this platform names no cache directory: set {VARIABLE} to a directory for models")
    })?;
    Ok(cache.join("kelvin"))
}

/// Path of a model of the catalogue, whether the file exists or not.
pub fn named(directory: &Path, entry: &Entry) -> PathBuf {
    directory.join(&entry.file)
}

/// Path of a file of the hub, whether it was downloaded or not.
pub(crate) fn of_hub(directory: &Path, hub: &HubFile) -> PathBuf {
    directory.join("hub").join(&hub.repo).join(&hub.file)
}

/// Path of the file that a reference names, whether it exists or not.
pub fn of(directory: &Path, reference: &Reference) -> PathBuf {
    match reference {
        Reference::Named(entry) => named(directory, entry),
        Reference::Hub(hub) => of_hub(directory, hub),
        Reference::Path(path) => path.clone(),
    }
}

/// Holds the directory's lock, so that two processes don't fetch at once.
#[derive(Debug)]
pub(crate) struct Lock {
    file: fs::File,
    path: PathBuf,
    /// Whether taking the lock created the directory. It is removed again if it stays empty.
    made: Option<PathBuf>,
}

impl Lock {
    /// Makes the directory and takes its lock, waiting for another process that holds it.
    pub(crate) fn take(directory: &Path, dialog: &dyn Dialog) -> anyhow::Result<Lock> {
        let made = (!directory.exists()).then(|| directory.to_path_buf());
        fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
        // The lock file has a name of Kelvin's own, since it is removed at the end and other
        // programs may use the directory.
        let path = directory.join(".kelvin.lock");
        let mut is_noted = false;
        loop {
            let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(|error| unwritable(directory, &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    if !is_noted {
                        dialog.note(&format!(
                            "another kelvin is fetching into {}; waiting for it",
                            directory.display()
                        ));
                        is_noted = true;
                    }
                    file.lock().with_context(|| format!("locking {} failed", path.display()))?;
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error)
                        .with_context(|| format!("locking {} failed", path.display()));
                }
            }
            // Another process removes the lock file when it is done. A lock on a removed file
            // protects nothing, so it is taken again.
            if is_same_file(&file, &path) {
                return Ok(Lock { file, path, made });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
        if let Some(made) = &self.made {
            // Only an empty directory can be removed this way.
            let _ = fs::remove_dir(made);
        }
    }
}

#[cfg(unix)]
fn is_same_file(file: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_file: &fs::File, path: &Path) -> bool {
    path.exists()
}

/// The error for a directory that can't be written to.
pub(crate) fn unwritable(directory: &Path, error: &io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::StorageFull {
        return full(directory);
    }
    anyhow!(
        "can't write to the models directory {} ({error}): set {VARIABLE} to a directory that can \
         be written to",
        directory.display()
    )
}

/// The error for a full disk.
pub(crate) fn full(directory: &Path) -> anyhow::Error {
    anyhow!(
        "the disk that holds {} is full: make room, or set {VARIABLE} to a directory on another \
         disk",
        directory.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::Silent;

    #[test]
    fn a_lock_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("models");
        drop(Lock::take(&directory, &Silent).unwrap());
        assert!(!directory.exists());
        let lock = Lock::take(&directory, &Silent).unwrap();
        fs::write(directory.join("model"), "x").unwrap();
        drop(lock);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn an_unwritable_directory_is_one_sentence() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Lock::take(&file.join("models"), &Silent).unwrap_err().to_string();
        assert!(error.contains("can't write") && error.contains(VARIABLE), "{error}");
    }
}
