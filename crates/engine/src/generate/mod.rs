//! One continuation, from logits to tokens and text, until something ends it.
//!
//! What a continuation draws depends on its sampler and its own text alone. `batch` runs many
//! continuations together.

mod bans;
mod column;
mod constraint;
mod pending;
mod stages;
mod stop;
mod thoughts;

pub(crate) use bans::Found;
pub use bans::banned_strings;
pub use column::Ends;
pub(crate) use column::{Column, Next, Taken};
pub use constraint::Constraint;
pub(crate) use pending::Pending;
pub use stages::Stages;
pub use stop::first_stop;
pub use thoughts::{BlockReader, Thoughts};

use crate::TokenId;

/// Why a continuation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FinishReason {
    /// The model ended its turn with this token. It isn't part of the continuation.
    EndToken(TokenId),
    /// The text reached this stop string.
    StopString(String),
    /// The limit of tokens was reached.
    MaxTokens,
    /// The context is full.
    ContextFull,
    /// The observer cancelled it.
    Cancelled,
    /// The constraint is complete and allows no further token.
    Complete,
    /// The logits have no distribution (NaN or infinite); the sampler's message.
    BadLogits(String),
    /// Chain and constraint together left no token, or the constraint failed; its message.
    NothingLeft(String),
    /// None of so many tries at a whole text was accepted (`texts`).
    NotAccepted(u64),
    /// Drawing a token panicked, in a constraint or a stage.
    Panicked,
}

impl FinishReason {
    /// The error message, if the continuation ended by an error.
    pub fn failure(&self) -> Option<String> {
        match self {
            FinishReason::BadLogits(what) => {
                Some(format!("the model gave logits that nothing can be drawn from: {what}"))
            }
            FinishReason::NothingLeft(what) => Some(format!("no token can come next: {what}")),
            FinishReason::NotAccepted(tries) => Some(format!(
                "none of {tries} tries at the text was accepted: allow more tries or fewer tokens, \
                 or take a temperature nearer to 1 or another method"
            )),
            FinishReason::Panicked => Some("drawing a token panicked; this is a bug".to_string()),
            _ => None,
        }
    }
}
