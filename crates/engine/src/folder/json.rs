//! Reads the JSON files of a folder, bounded in size, and asks for values of the type expected.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{FolderError, wrong};

/// Configurations have some kilobytes; lists of factors and of special tokens make some a megabyte.
pub(super) const MAX_CONFIG: u64 = 16 << 20;
/// The file of a vocabulary.
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// The largest vocabularies in use have 35 megabytes as JSON.
pub(super) const MAX_TOKENIZER: u64 = 128 << 20;

/// The bytes of a file of the folder; none if it isn't there.
pub(super) fn bytes(folder: &Path, file: &str, max: u64) -> Result<Option<Vec<u8>>, FolderError> {
    let path = folder.join(file);
    let failed = |error: std::io::Error| FolderError {
        file: file.to_string(),
        problem: format!("can't be read: {error}"),
    };
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(about) if !about.is_file() => return wrong(file, "isn't a regular file"),
        Ok(about) if about.len() > max => {
            let problem = format!("has {} bytes, expected at most {max}", about.len());
            return wrong(file, problem);
        }
        Ok(_) => {}
    }
    fs::read(&path).map(Some).map_err(failed)
}

/// A file of the folder as JSON; none if it isn't there.
pub(super) fn read<T: DeserializeOwned>(
    folder: &Path,
    file: &str,
    max: u64,
) -> Result<Option<T>, FolderError> {
    let Some(bytes) = bytes(folder, file, max)? else { return Ok(None) };
    if bytes.starts_with(b"version https://git-lfs") {
        return wrong(file, "is a Git LFS pointer: run `git lfs pull` in the repository");
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => wrong(file, format!("isn't the JSON that was expected: {error}")),
    }
}

/// A short form of a value for errors.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
