//! Reproduction files: what a run's texts were drawn from, step by step, so that another machine
//! can make them again and say where it differs.
//!
//! A file is lines of JSON. The first is the [`Head`]: the version of this form, Kelvin's version,
//! the [`Job`] (recipe and the model's SHA-256) and the ids of each prompt's tokens. Then there is
//! one line for each [`ProvedText`], in any order, and a last line that counts texts and steps, so
//! that a file cut short is recognized. [`Writer`] writes it, [`Reader`] reads one line at a time
//! within bounds, [`difference`] compares two texts.

mod difference;
mod file;
mod step;

pub use difference::{Difference, Part, difference};
pub use file::{MAX_LINE, ProofError, Reader, Writer, resume};
pub use step::{Recorder, Step};

use kelvin_engine::TokenId;
use serde_json::Value;

use crate::{
    job::Job,
    run::{Finish, Row, Sample},
};

/// What the texts of a file are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The version of Kelvin that wrote the file.
    pub kelvin: String,
    /// The recipe, and the model by its hash.
    pub job: Job,
    /// The format that a folder's weights were packed into, by name.
    pub quantize: Option<String>,
    /// The form of structured output (the constraint crate's `Form`).
    pub form: Option<Value>,
    /// The tokens of each prompt of the recipe, with what the chat template put around it.
    pub prompts: Vec<Vec<u32>>,
}

/// A text, with each step that drew it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvedText {
    /// Its place in the recipe's table.
    pub row: Row,
    /// Why generation ended.
    pub finish: Finish,
    /// The text, up to a stop string.
    pub text: String,
    /// The draws. A token that ends the text without being part of it has one too.
    pub steps: Vec<Step>,
}

impl ProvedText {
    /// A finished text with its steps.
    pub fn new(sample: &Sample, steps: Vec<Step>) -> ProvedText {
        ProvedText { row: sample.row(), finish: sample.finish, text: sample.text.clone(), steps }
    }
}

/// The ids of prompts' tokens.
pub fn ids(prompts: &[Vec<TokenId>]) -> Vec<Vec<u32>> {
    prompts.iter().map(|prompt| prompt.iter().map(|token| token.0).collect()).collect()
}
