//! Errors about the files of a folder.

use crate::gguf::GgufError;

/// Something that a folder may not have or lacks.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct FolderError {
    /// The file's name within the folder.
    pub file: String,
    /// What was expected, what was found, what to do.
    pub problem: String,
}

impl From<FolderError> for GgufError {
    fn from(error: FolderError) -> GgufError {
        GgufError::Folder(error)
    }
}

/// An error about a file of the folder.
pub(super) fn wrong<T>(
    file: impl Into<String>,
    problem: impl Into<String>,
) -> Result<T, FolderError> {
    Err(FolderError { file: file.into(), problem: problem.into() })
}
