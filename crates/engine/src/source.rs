//! Opens whatever a person gives as a model: a GGUF file, any part of a split one, or a Hugging
//! Face folder.

use std::path::Path;

pub use crate::folder::{FolderError, Quantize};
use crate::{
    folder,
    gguf::{Gguf, GgufError},
};

/// Opens a model's header; weights are read later. `quantize` packs a folder's matrices while they
/// are read.
///
/// # Errors
/// As [`Gguf::open`]; a folder that lacks something or holds what the engine wouldn't follow;
/// `quantize` for a GGUF file, whose weights are what they are.
pub fn open(path: &Path, quantize: Option<Quantize>) -> Result<Gguf, GgufError> {
    if path.is_dir() {
        return folder::open(path, quantize);
    }
    let gguf = Gguf::open(path)?;
    match quantize {
        None => Ok(gguf),
        Some(quantize) => Err(GgufError::Packed { asked: quantize.name() }),
    }
}
