//! Experiments: runs a grid of generations, stores every token, and computes statistics from them.
//!
//! A [`Recipe`] describes a table of prompts × chains × samples. A [`Run`] is that table filled:
//! each row is a text with a record of every token. A [`worker`] generates the texts, a [`Store`]
//! keeps them in SQLite, and [`sweep`](mod@sweep) connects the two. Every metric and report is
//! computed from a [`Run`].

pub mod calibration;
pub mod column;
pub mod decisions;
pub mod export;
pub mod job;
pub mod judge;
pub mod logprobs;
#[cfg(feature = "semantic")]
pub mod meaning;
pub mod metrics;
pub mod proof;
pub mod questions;
pub mod recipe;
mod recorded;
pub mod replay;
pub mod report;
pub mod rows;
pub mod run;
pub mod scores;
pub mod scoring;
pub mod statistics;
pub mod store;
pub mod sweep;
pub mod text_file;
pub mod text_quality;
pub mod tune;
pub mod worker;

pub use column::Column;
pub use recipe::Recipe;
pub use run::Run;
pub use store::Store;
pub use text_quality::TextQuality;
