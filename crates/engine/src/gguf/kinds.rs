//! Names what a GGUF file holds when it isn't a language model: an adapter, an encoder, a
//! projector for images and the like.

use super::{error::GgufError, metadata::Metadata};
use crate::names::quoted;

/// Values of `general.type` that aren't models, what each is, and what to do. Source: `GGUFType`
/// in gguf-py's `constants.py`.
const TYPES: &[(&str, &str)] = &[
    (
        "adapter",
        "a LoRA adapter, which changes a model and isn't one: give the model, or merge the adapter \
         into it and convert the result",
    ),
    (
        "mmproj",
        "a multimodal projector, which turns images or sound into a model's input: give the \
         language model that it belongs to",
    ),
    ("imatrix", "an importance matrix, which says how to quantize a model: give the model itself"),
];

/// Architectures that make vectors of texts and no text. Names: llama.cpp's `src/llama-arch.cpp`.
const ENCODERS: &[&str] = &[
    "bert",
    "nomic-bert",
    "nomic-bert-moe",
    "jina-bert-v2",
    "jina-bert-v3",
    "modern-bert",
    "neo-bert",
    "eurobert",
    "gemma-embedding",
    "t5encoder",
];

/// Why the file holds no language model; none if it may be one.
///
/// # Errors
/// If `general.type` or `general.architecture` isn't a string.
pub(crate) fn not_a_language_model(metadata: &Metadata) -> Result<Option<String>, GgufError> {
    if let Some(found) = metadata.str("general.type")?.filter(|found| *found != "model") {
        let known = TYPES.iter().find(|(name, _)| *name == found);
        return Ok(Some(match known {
            Some((name, what)) => format!("its general.type is \"{name}\", {what}"),
            None => format!("its general.type is {}, expected \"model\"", quoted(found)),
        }));
    }
    Ok(match metadata.str("general.architecture")?.unwrap_or_default() {
        "clip" => Some(
            "its architecture is \"clip\", a vision projector, which turns images into a model's \
             input: give the language model that it belongs to"
                .to_string(),
        ),
        "imatrix" => Some("it is an importance matrix: give the model itself".to_string()),
        found if ENCODERS.contains(&found) => Some(format!(
            "its architecture is \"{found}\", an embedding model, which turns texts into vectors \
             and writes none: give a model that generates text"
        )),
        _ => None,
    })
}
