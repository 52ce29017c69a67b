//! One stage of a chain: its name, its checked parameter, and what it keeps of the candidates.
//!
//! A stage is one file here, one variant of [`Stage`] and one row of [`STAGES`].

mod min_p;
mod temp;
mod top_k;
mod top_p;

use std::fmt;

pub use min_p::MinP;
pub use temp::Temp;
pub use top_k::TopK;
pub use top_p::TopP;

use crate::{candidates::Candidates, error::ChainError};

/// A stage of a chain with its parameter, which was checked when it was made.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// See [`Temp`].
    Temp(Temp),
    /// See [`TopK`].
    TopK(TopK),
    /// See [`TopP`].
    TopP(TopP),
    /// See [`MinP`].
    MinP(MinP),
}

/// What the notation calls a stage and what its parameter may be: for help texts and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageInfo {
    /// The name in the notation.
    pub name: &'static str,
    /// The allowed values, in words.
    pub allowed: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// All stages, in the order in which help lists them.
pub const STAGES: &[StageInfo] = &[temp::INFO, top_k::INFO, top_p::INFO, min_p::INFO];

impl Stage {
    /// A stage from its name and the text after `=`, if there is one.
    pub(crate) fn parse(name: &str, value: Option<&str>) -> Result<Stage, ChainError> {
        match name {
            "temp" => Ok(Stage::Temp(Temp::parse(value)?)),
            "top_k" => Ok(Stage::TopK(TopK::parse(value)?)),
            "top_p" => Ok(Stage::TopP(TopP::parse(value)?)),
            "min_p" => Ok(Stage::MinP(MinP::parse(value)?)),
            _ => {
                let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
                Err(ChainError::UnknownStage { name: name.to_owned(), known: known.join(", ") })
            }
        }
    }

    /// The row of [`STAGES`] that describes this stage.
    pub fn info(&self) -> &'static StageInfo {
        match self {
            Stage::Temp(_) => &temp::INFO,
            Stage::TopK(_) => &top_k::INFO,
            Stage::TopP(_) => &top_p::INFO,
            Stage::MinP(_) => &min_p::INFO,
        }
    }

    /// Lets the stage act on what the one before it left.
    pub(crate) fn apply(&self, candidates: &mut Candidates<'_>) {
        match self {
            Stage::Temp(stage) => stage.apply(candidates),
            Stage::TopK(stage) => stage.apply(candidates),
            Stage::TopP(stage) => stage.apply(candidates),
            Stage::MinP(stage) => stage.apply(candidates),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.info().name;
        match self {
            Stage::Temp(stage) => write!(f, "{name}={}", stage.get()),
            Stage::TopK(stage) => write!(f, "{name}={}", stage.get()),
            Stage::TopP(stage) => write!(f, "{name}={}", stage.get()),
            Stage::MinP(stage) => write!(f, "{name}={}", stage.get()),
        }
    }
}

impl StageInfo {
    /// The error for a value outside the range.
    fn refuse(&self, found: impl Into<String>) -> ChainError {
        ChainError::BadValue { stage: self.name, found: found.into(), allowed: self.allowed }
    }

    /// The text after `=`, which must be there.
    fn required<'t>(&self, value: Option<&'t str>) -> Result<&'t str, ChainError> {
        value.filter(|text| !text.is_empty()).ok_or_else(|| self.refuse("no value"))
    }
}
