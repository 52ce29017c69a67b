//! From a model file to text: the engine of Kelvin as a library.
//!
//! `source` opens what a person gives: `gguf` reads GGUF files, `folder` turns a Hugging Face
//! folder into the same. `tokenizer` and `chat` turn text into tokens, `transformer` turns tokens
//! into logits, `generate` is one continuation token by token, `batch` schedules many of them and
//! tells an observer about them. `decide` reads probabilities of a question's options from logits,
//! `search` finds likely texts, `texts` draws at a temperature of whole texts, both over `rows`: a
//! model that reads many texts in one pass.
//! [`Engine`] holds them together.
//!
//! The book has a guide, `docs/src/guides/library.md`, and says why results are bit-exact,
//! `docs/src/concepts/exact.md`.

pub mod batch;
pub mod chat;
pub mod decide;
mod folder;
pub mod generate;
pub mod gguf;
mod names;
pub mod rows;
mod rules;
mod saved;
pub mod search;
pub mod source;
mod sums;
pub mod texts;
pub mod tokenizer;
pub mod transformer;
pub mod uses;

mod engine;

pub use engine::{Engine, EngineError, NoThoughts};
pub use kelvin_sampling::TokenId;
