//! What becomes of each tensor and each metadata key of a model file: it is read, it has no effect
//! for a stated reason, it earns a warning, or it is a reason to refuse the file. Nothing is passed
//! over in silence.

use crate::{
    gguf::{Gguf, Metadata, Value},
    tokenizer, transformer,
};

pub use crate::rules::Use;

/// What becomes of a metadata key.
pub fn of_key(metadata: &Metadata, key: &str, value: &Value) -> Use {
    if key.starts_with("tokenizer.") {
        tokenizer::keys::of(metadata, key, value)
    } else {
        transformer::families::of_key(metadata, key, value)
    }
}

/// What becomes of each tensor, in file order.
pub fn of_tensors(gguf: &Gguf) -> Vec<Use> {
    transformer::families::of_tensors(gguf)
}
