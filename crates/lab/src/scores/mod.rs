//! Scores of one's own: what a recipe asks of its texts besides the built-in metrics, such as
//! whether the expected answer is there.
//!
//! [`Score`] is the definition and its notation. `text` computes what a text alone decides,
//! `command` runs a program, `column` reads a CSV file, [`crate::judge`] asks a model.
//! [`crate::scoring`] puts the values into a [`crate::Run`], where the score is a metric
//! ([`metric_of`]).

mod column;
mod command;
mod metric;
mod notation;
mod text;

pub use column::Column;
pub use command::{MOST_OUTPUT, run};
pub use metric::{metric_of, metrics_of};
pub use text::Judgement;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run::{Prompt, Sample};

/// A score: its name, which way is better, and how it is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The name in recipes, flags and tables.
    pub name: String,
    /// Whether more is better.
    pub most: bool,
    /// How it is computed.
    #[serde(flatten)]
    pub kind: Kind,
}

/// How a score is computed from a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// 1 if the text is the answer in this field of the prompt's record, else 0. A list in the
    /// field has several right answers. Case, and white space and punctuation around the text,
    /// don't count.
    Expected {
        /// The field.
        field: String,
    },
    /// 1 if the text contains this, else 0.
    Contains {
        /// What it is to contain.
        text: String,
    },
    /// 1 if the text contains what a field of the prompt's record says, else 0.
    ContainsField {
        /// The field.
        field: String,
    },
    /// 1 if the regular expression (of the crate `regex`) matches somewhere, else 0.
    Regex {
        /// The expression.
        pattern: String,
    },
    /// 1 if the whole text is JSON, else 0.
    Json,
    /// 1 if the whole text is JSON that a JSON schema allows, else 0.
    Schema {
        /// The schema.
        schema: Value,
    },
    /// The number that a command prints, which reads the text on standard input.
    Command {
        /// The command, for the system's shell.
        command: String,
        /// How long it may take, in seconds.
        secs: u64,
    },
    /// What a judge model answers to a question about the text: the mean of the answers' values,
    /// weighted by their probabilities.
    Judge {
        /// The question, with `{text}` and, if it's needed, `{prompt}` in it.
        question: String,
        /// The answers, the worst first. Numbers are their own values; others have values from 0
        /// to 1.
        answers: Vec<String>,
    },
    /// A column of a CSV file, whose rows name the text.
    Csv {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
}

/// The answers of a judge unless others are given.
pub(crate) const ANSWERS: [&str; 2] = ["No", "Yes"];

impl Score {
    /// The value of a text, if the text and its prompt decide it.
    pub fn of_text(&self, prompt: &Prompt, text: &str) -> Option<Result<f64, String>> {
        text::value(&self.kind, prompt, text)
    }

    /// Whether a judge model is needed.
    pub fn needs_judge(&self) -> bool {
        matches!(self.kind, Kind::Judge { .. })
    }

    /// Whether its values are stored: they took time, and may not come out the same again.
    pub fn is_stored(&self) -> bool {
        matches!(self.kind, Kind::Command { .. } | Kind::Judge { .. })
    }

    /// The least and the greatest value.
    pub fn range(&self) -> (f64, f64) {
        match &self.kind {
            Kind::Command { .. } | Kind::Csv { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Kind::Judge { answers, .. } => {
                let values = text::values(answers);
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            }
            _ => (0.0, 1.0),
        }
    }
}

/// A sample's place in its run.
pub(crate) fn place(sample: &Sample) -> (usize, usize, usize) {
    (sample.prompt, sample.chain, sample.sample)
}
