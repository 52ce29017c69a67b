//! Why a chat template was refused or failed, in words for the person who runs the model.

/// Why a template was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The template's text is too long.
    #[error("the model's chat template has {found} bytes, at most {allowed} are allowed")]
    TooLong {
        /// Bytes of source.
        found: usize,
        /// Bytes allowed.
        allowed: usize,
    },

    /// The template has longer chains or deeper nesting than any template needs.
    #[error("the model's chat template has more than {allowed} {what}, at line {line}")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// Where the limit was passed, 1 being the first line.
        line: usize,
        /// How many are allowed.
        allowed: usize,
    },

    /// The template isn't one.
    #[error("the model's chat template can't be compiled: {message}")]
    Syntax {
        /// What the compiler says, with the line.
        message: String,
    },

    /// The template itself refused these messages (`raise_exception`): its own words.
    #[error("{message}")]
    Raised {
        /// The template's own message.
        message: String,
    },

    /// The template asks for today's date and none was given.
    #[error("the model's chat template asks for today's date: give one with --date YYYY-MM-DD")]
    NeedsDate,

    /// The date isn't one.
    #[error("the date {found:?} isn't one: expected YYYY-MM-DD, from year 1 to 9999")]
    BadDate {
        /// What was given.
        found: String,
    },

    /// The template does more work, or makes more text, than these messages could need.
    #[error("the model's chat template takes more work or memory than any template needs and was stopped")]
    Budget,

    /// The template failed for these messages.
    #[error("the model's chat template failed: {message}")]
    Failed {
        /// What happened, with the line.
        message: String,
    },

    /// No thread could be started for it.
    #[error("can't start a thread for the chat template: {0}")]
    Thread(std::io::Error),
}
