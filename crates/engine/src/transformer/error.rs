//! Why a model can't be loaded or run: each error says what was expected and what was found.

use kelvin_kernels::memory::NoMemory;

use crate::gguf::GgufError;

/// Why a model can't be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file can't be read, or a key has the wrong type.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// There is no memory for the weights or for keys and values.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// The file is of a family that isn't known here.
    #[error(
        "the model's architecture is {found:?}, which isn't supported{}; supported are: {supported}",
        .why.map_or(String::new(), |why| format!(": {why}"))
    )]
    Architecture {
        /// What the file says.
        found: String,
        /// The reason, if the architecture is known.
        why: Option<&'static str>,
        /// What there is.
        supported: String,
    },
    /// The file says that it is something else than a model: an adapter, a vocabulary, a projector
    /// for images.
    #[error("the file isn't a language model: {found}")]
    NoModel {
        /// What it is instead.
        found: String,
    },
    /// Tensors or keys that belong to the model's arithmetic, but which the engine doesn't use.
    #[error(
        "the model file has {what} that the engine doesn't use for the architecture \
         {architecture:?}, \
         so the model would compute something else: {names}"
    )]
    Unread {
        /// `tensors` or `keys`.
        what: &'static str,
        /// `general.architecture`.
        architecture: String,
        /// The first of them, in quotes, with reasons where there are some.
        names: String,
    },
    /// A hyperparameter is missing, out of its range or not supported.
    #[error("model file, key {key:?}: {problem}")]
    Hyperparameter {
        /// The metadata key.
        key: String,
        /// What was expected and found.
        problem: String,
    },
    /// A tensor is missing or has another shape than the hyperparameters say.
    #[error(
        "model file, tensor {name:?}: expected shape {expected:?} (innermost first), found {found}"
    )]
    Tensor {
        /// The tensor.
        name: String,
        /// Its shape by the hyperparameters.
        expected: Vec<usize>,
        /// Its shape in the file, or that it's missing.
        found: String,
    },
    /// A token that the vocabulary doesn't have.
    #[error("token {token} is out of the vocabulary, which has {vocab_size} tokens")]
    Token {
        /// The token's id.
        token: u32,
        /// How many there are.
        vocab_size: usize,
    },
    /// A sequence would be longer than the model's context.
    #[error("{len} tokens don't fit into the context of {limit} tokens")]
    Context {
        /// Tokens of the sequence with those to be appended.
        len: usize,
        /// The model's limit.
        limit: usize,
    },
    /// A step that appends nothing to one of its sequences.
    #[error("a sequence of the batch has no tokens to append")]
    NoTokens,
    /// A sequence made by a model of another shape.
    #[error("the sequence belongs to a model of another shape")]
    ForeignSequence,
}
