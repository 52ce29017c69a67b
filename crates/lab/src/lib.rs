//! Many generations in, evidence out: what turns "hotter is more creative" into something one measures.
//!
//! A [`Run`] is a table of prompts × chains × samples, each row a text with a record of every token. Whatever
//! is said about creativity is computed from one.

pub mod run;

pub use run::Run;
