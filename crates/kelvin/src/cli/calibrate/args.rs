//! The arguments of `calibrate`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{JsonArgs, ModelArgs, QuestionArgs},
    number,
};

/// `calibrate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin calibrate reviews.jsonl -q \"The writer liked it.\" --rotations 2 --output liked.json
  kelvin calibrate questions.jsonl --output all.json --report all.html
  kelvin decide --items new.jsonl -q \"The writer liked it.\" --calibration liked.json

A line is an object with \"input\", \"answer\" and, without --question, \"question\", as \
`kelvin decide` reads it. The answer is true or false, one of the choices, or a level or its \
number.

For each kind of question the temperature T is fitted that makes the right answers likeliest under \
softmax(ln q / T), from at least 50 examples. It changes no choice, only how sure the model is. \
Figures before and after come from cross-fitting: each example is judged at the temperature that \
the other nine tenths gave. The file holds for this model and this way of asking alone.")]
pub(crate) struct CalibrateArgs {
    /// Labelled examples as JSON lines; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) asked: QuestionArgs,
    /// Write the temperatures to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Write figures and reliability diagrams, before and after, to this HTML file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
    /// The seed of folds and bootstrap
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::seed,
        help_heading = "Output")]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) form: JsonArgs,
}
