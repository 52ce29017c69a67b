//! The rooms of the tokenizer one by one, each against a slow and obvious version of itself.

mod charsmap;
mod merge;
mod partition;
mod places;
mod split;
mod written;

use crate::gguf::{Metadata, Value};

/// The metadata of a vocabulary: texts with their types.
fn metadata(model: &str, tokens: &[(&str, i64)]) -> Vec<(String, Value)> {
    vec![
        ("tokenizer.ggml.model".to_owned(), Value::Str(model.to_owned())),
        (
            "tokenizer.ggml.tokens".to_owned(),
            Value::StrArray(tokens.iter().map(|(text, _)| (*text).to_owned()).collect()),
        ),
        (
            "tokenizer.ggml.token_type".to_owned(),
            Value::IntArray(tokens.iter().map(|&(_, kind)| kind).collect()),
        ),
    ]
}

/// A vocabulary of these texts and types.
fn vocabulary(tokens: &[(&str, i64)]) -> super::vocabulary::Vocabulary {
    let metadata: Metadata = metadata("llama", tokens).into_iter().collect();
    super::vocabulary::Vocabulary::from_metadata(&metadata).unwrap()
}
