//! One continuation, from logits to tokens and text, until something ends it.
//!
//! What a continuation draws depends on its sampler and its own text alone. `batch` runs many
//! continuations together.

mod column;
mod constraint;
mod stop;

pub use column::Ends;
pub(crate) use column::{Column, Taken};
pub use constraint::Constraint;

use crate::TokenId;

/// Why a continuation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FinishReason {
    /// The model ended its turn with this token, which isn't part of the continuation.
    EndToken(TokenId),
    /// This stop string came up.
    StopString(String),
    /// It has as many tokens as were asked for.
    MaxTokens,
    /// The context is full.
    ContextFull,
    /// The observer broke off.
    Cancelled,
    /// The constraint is fulfilled and allows nothing more.
    Complete,
    /// The logits had no distribution (NaN, or infinite); the sampler's words.
    BadLogits(String),
    /// Controls and constraint together left no token, or the constraint gave up; in its words.
    NothingLeft(String),
    /// Drawing a token panicked, in a constraint or a stage.
    Panicked,
}

impl FinishReason {
    /// What went wrong, if it ended badly.
    pub fn failure(&self) -> Option<String> {
        match self {
            FinishReason::BadLogits(what) => {
                Some(format!("the model gave logits that nothing can be drawn from: {what}"))
            }
            FinishReason::NothingLeft(what) => Some(format!("no token can come next: {what}")),
            FinishReason::Panicked => Some("drawing a token panicked; this is a bug".to_string()),
            _ => None,
        }
    }
}
