//! What was wrong with a model file, where, what was found, what is allowed.

/// Why a file was refused. Offsets are in bytes from the beginning of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The operating system refused to open or read.
    #[error("{doing}: {source}")]
    Io {
        /// What was attempted, on which file or tensor.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },

    /// The file doesn't begin like a GGUF file.
    #[error("not a GGUF model file: it begins with {found}, a GGUF file begins with \"GGUF\"")]
    NotGguf {
        /// The first bytes, printable.
        found: String,
    },

    /// The file ends before something that its header promises.
    #[error(
        "the file ends too early: {field} at byte {offset} takes {needed} bytes and {left} are \
         left; \
         the file is cut short or damaged, fetch it again"
    )]
    Truncated {
        /// What was to be read.
        field: String,
        /// Where it begins.
        offset: u64,
        /// How many bytes it takes at least.
        needed: u64,
        /// How many bytes there are from `offset` on.
        left: u64,
    },

    /// A field holds something that the format, or Kelvin, doesn't allow.
    #[error("{field} at byte {offset}: found {found}, allowed: {allowed}")]
    Invalid {
        /// Which field of what.
        field: String,
        /// Where it is.
        offset: u64,
        /// What it holds.
        found: String,
        /// What it may hold.
        allowed: String,
    },

    /// A metadata key has another type than the one that the model's reader expects.
    #[error("metadata key {key:?}: expected {expected}, found {found}")]
    WrongType {
        /// The key.
        key: String,
        /// The type that is expected.
        expected: &'static str,
        /// The type, and value if it's a single one, that the file has.
        found: String,
    },

    /// The file is of another kind.
    #[error("not a GGUF model file: it is {what}")]
    OtherFile {
        /// What it is, and what to do.
        what: String,
    },

    /// A file of a split model was refused.
    #[error("{file}: {error}")]
    InPart {
        /// Its name.
        file: String,
        /// Why.
        error: Box<GgufError>,
    },

    /// Weights of a GGUF file were to be packed again.
    #[error(
        "{asked} was asked for, but only a folder of F32, F16 or BF16 weights is packed while it \
         is read: a GGUF file runs as it is"
    )]
    Packed {
        /// The format's name.
        asked: &'static str,
    },

    /// A Hugging Face folder was refused.
    #[error(transparent)]
    Folder(#[from] FolderError),

    /// The parts of a split model aren't all there, or don't belong together.
    #[error("{0}")]
    Parts(String),
}

/// Something that a Hugging Face folder may not have or lacks.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct FolderError {
    /// The file's name within the folder.
    pub file: String,
    /// What was expected, what was found, what to do.
    pub problem: String,
}
