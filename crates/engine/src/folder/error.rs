//! Errors about the files of a folder.

pub use crate::gguf::FolderError;

/// An error about a file of the folder.
pub(super) fn wrong<T>(
    file: impl Into<String>,
    problem: impl Into<String>,
) -> Result<T, FolderError> {
    Err(FolderError { file: file.into(), problem: problem.into() })
}
