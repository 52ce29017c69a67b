//! Errors of chat templates, worded for the user who runs the model.

/// Why a template was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The template's text is too long.
    #[error("the model's chat template has {found} bytes, at most {allowed} are allowed")]
    TooLong {
        /// Length of the template's source in bytes.
        found: usize,
        /// The limit in bytes.
        allowed: usize,
    },

    /// The template has longer chains or deeper nesting than any template needs.
    #[error("the model's chat template has more than {allowed} {what}, at line {line}")]
    TooComplex {
        /// The exceeded limit, such as nesting of blocks.
        what: &'static str,
        /// Line at which the limit was exceeded, from 1.
        line: usize,
        /// The limit.
        allowed: usize,
    },

    /// The template isn't valid Jinja.
    #[error("the model's chat template can't be compiled: {message}")]
    Syntax {
        /// The parser's message, with the line.
        message: String,
    },

    /// The template refused these messages by `raise_exception`.
    #[error("{message}")]
    Raised {
        /// The template's own message.
        message: String,
    },

    /// The file has several named templates, and none for plain chats.
    #[error(
        "the model file has chat templates named {names}, and none that is the default, so it isn't \
         clear which to use; convert the model again with a default template"
    )]
    NoDefault {
        /// Their names.
        names: String,
    },

    /// The template asks for today's date and none was given.
    #[error("the model's chat template asks for today's date: give one with --date YYYY-MM-DD")]
    NeedsDate,

    /// The date is invalid.
    #[error("the date {found:?} isn't one: expected YYYY-MM-DD, from year 1 to 9999")]
    BadDate {
        /// The given text.
        found: String,
    },

    /// The template does more work, or makes more text, than these messages could need.
    #[error(
        "the model's chat template takes more work or memory than any template needs and was \
         stopped"
    )]
    Budget,

    /// The template failed for these messages.
    #[error("the model's chat template failed: {message}")]
    Failed {
        /// The error message, with the line.
        message: String,
    },

    /// The thread for rendering couldn't be started.
    #[error("can't start a thread for the chat template: {0}")]
    Thread(std::io::Error),
}

pub(super) type Res<T> = Result<T, Box<Failure>>;

/// Why rendering ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// `raise_exception`, with the template's message.
    Raised(String),
    NoDate,
    OutOfFuel,
    Failed {
        message: String,
        /// Line from 1. It is set when the error passes an expression.
        line: Option<u16>,
    },
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Box<Failure> {
        Box::new(Failure::Failed { message: message.into(), line: None })
    }

    /// Adds a line to a failure that has none yet.
    pub(super) fn at(mut self: Box<Self>, found: u16) -> Box<Failure> {
        if let Failure::Failed { line: line @ None, .. } = &mut *self {
            *line = Some(found);
        }
        self
    }
}

impl From<Failure> for ChatError {
    fn from(failure: Failure) -> ChatError {
        match failure {
            Failure::Raised(message) => ChatError::Raised { message },
            Failure::NoDate => ChatError::NeedsDate,
            Failure::OutOfFuel => ChatError::Budget,
            Failure::Failed { message, line: Some(line) } => {
                ChatError::Failed { message: format!("{message} (line {line})") }
            }
            Failure::Failed { message, line: None } => ChatError::Failed { message },
        }
    }
}

/// The parser's error, with the line.
pub(super) fn syntax_error(error: minijinja::Error) -> ChatError {
    let detail = error.detail().unwrap_or("not a template");
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    ChatError::Syntax { message: format!("syntax error: {detail}{line}") }
}
