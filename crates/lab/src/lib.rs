//! Many generations in, evidence out: what turns "hotter is more creative" into something one
//! measures.
//!
//! A [`Recipe`] describes a table of prompts × chains × samples, and a [`Run`] is the table filled,
//! each row a text with a record of every token: a [`worker`] makes the texts, a [`Store`] keeps
//! them, [`sweep`](mod@sweep) goes from one to the other. Whatever is said about creativity is
//! computed from one.

pub mod export;
pub mod judge;
#[cfg(feature = "semantic")]
pub mod meaning;
pub mod metrics;
pub mod recipe;
pub mod replay;
pub mod report;
pub mod run;
pub mod statistics;
pub mod store;
pub mod sweep;
pub mod text_file;
pub mod tune;
pub mod worker;

pub use recipe::Recipe;
pub use run::Run;
pub use store::Store;
