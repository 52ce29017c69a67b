//! Why a vocabulary can't be used: each error says which entry, what was found, what was expected.

use crate::gguf::GgufError;

/// Why a vocabulary can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The metadata has a key of the wrong type.
    #[error(transparent)]
    Metadata(#[from] GgufError),
    /// A key that every tokenizer of this kind needs is absent.
    #[error(
        "the file has no {key}, which its tokenizer needs; convert the model again with its \
         tokenizer"
    )]
    Missing {
        /// The metadata key.
        key: &'static str,
    },
    /// `tokenizer.ggml.model` or `tokenizer.ggml.pre` names something that isn't implemented.
    #[error("{key} is `{found}`, which isn't supported; supported: {supported}")]
    Unsupported {
        /// The metadata key.
        key: &'static str,
        /// Its value.
        found: String,
        /// The values that would do.
        supported: String,
    },
    /// `tokenizer.ggml.model` is `none`: the model takes and makes token ids, or something else.
    #[error(
        "tokenizer.ggml.model is `none`: the model file has no vocabulary, so it can't read or \
         write text; convert the model again with its tokenizer"
    )]
    NoVocabulary,
    /// `tokenizer.ggml.model` is `bert`.
    #[error(
        "tokenizer.ggml.model is `bert`: this is an embedding model, which makes no text; choose a \
         model that generates text"
    )]
    Embedding,
    /// `tokenizer.ggml.precompiled_charsmap` makes no sense.
    #[error("tokenizer.ggml.precompiled_charsmap: {problem}; convert the model again")]
    Charsmap {
        /// What's wrong with it.
        problem: String,
    },
    /// An array has another length than the vocabulary.
    #[error(
        "{key} has {found} entries, but tokenizer.ggml.tokens has {expected}: they must be equally \
         many"
    )]
    Count {
        /// The metadata key.
        key: &'static str,
        /// Its length.
        found: usize,
        /// The vocabulary's size.
        expected: usize,
    },
    /// A special token's id lies outside of the vocabulary.
    #[error("{key} is {found}, but the vocabulary has only {size} tokens (0 to \
        {})", size.saturating_sub(1))]
    OutOfRange {
        /// The metadata key.
        key: &'static str,
        /// Its value.
        found: u32,
        /// The vocabulary's size.
        size: usize,
    },
    /// The file asks for a special token to be added, but doesn't say which.
    #[error("{asks} is true, but the file has no {key}")]
    NothingToAdd {
        /// The key that is true.
        asks: &'static str,
        /// The key that is absent.
        key: &'static str,
    },
    /// One entry of the vocabulary makes no sense.
    #[error("token {id} of tokenizer.ggml.tokens, `{text}`: {problem}")]
    Token {
        /// Which entry.
        id: usize,
        /// Its text, shortened.
        text: String,
        /// What's wrong with it.
        problem: String,
    },
    /// One merge makes no sense.
    #[error("entry {index} of tokenizer.ggml.merges, `{text}`: {problem}")]
    Merge {
        /// Which entry.
        index: usize,
        /// Its text, shortened.
        text: String,
        /// What's wrong with it.
        problem: String,
    },
    /// The vocabulary as a whole is too large to address.
    #[error("the vocabulary is too large: {0}")]
    TooLarge(String),
}

/// The first 40 characters of a vocabulary entry, so that a 64 KiB token doesn't make a 64 KiB
/// error.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
