//! The three APIs that generate text, each with its request, its whole answer and its stream.

mod api;
mod chat;
mod completion;
mod response;

pub(crate) use api::{Api, Asked};
pub(crate) use chat::Chat;
pub(crate) use completion::Completions;
pub(crate) use response::Responses;
