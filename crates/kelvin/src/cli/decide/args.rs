//! The arguments of `decide`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::shared::args::{JsonArgs, ModelArgs, QuestionArgs};

/// `decide`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin decide -q \"Is Kathmandu the capital of Nepal?\"
  kelvin decide \"Where is my parcel?\" -q \"Which team answers this?\" -o delivery -o billing -o \
  returns
  kelvin decide \"A dull film.\" -q \"How good does the writer find it?\" --score 1..5 --rotations 5
  kelvin decide --items tickets.jsonl -q \"The writer is angry.\" --rotations 2 --json
  kelvin decide --items tickets.jsonl -q \"The writer is angry.\" --calibration angry.json --json

Without options and --score the question is a predicate: a statement that is true or not, or a \
question that is answered by yes or no. The model sees each option under a label that is one \
token, and one forward pass gives the probabilities of all labels. The probability of all other \
tokens, the mass outside of the labels, is printed beside them.

A line of --items is a text in quotes, or an object with \"input\" and, if it likes, \"id\" and \
\"question\", which has the shape of OpenAI's Decisions API: {\"type\": \"choice\", \
\"instructions\": \"…\", \"choices\": [{\"value\": \"…\", \"description\": \"…\"}]}, \
\"predicate\", or \"score\" with \"levels\": [{\"label\": \"…\"}]. With --json each answer is a \
line.

Small models prefer places in a list: --rotations N asks with the options in N orders and takes \
the geometric mean. `kelvin calibrate` finds the temperature at which the probabilities are as \
often right as they say.")]
pub(crate) struct DecideArgs {
    /// The text to decide about; `-`, or none in a pipe, reads standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Read texts to decide about from a file of JSON lines; `-` is standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) items: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asked: QuestionArgs,
    /// The temperature T of softmax(ln q / T), above 0 (default: that of --calibration, or 1)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T",
        allow_hyphen_values = true,
        help_heading = "Question"
    )]
    pub(crate) temp: Option<String>,
    /// Take temperatures from a file that `kelvin calibrate` wrote for this model
    #[arg(short, long, value_name = "FILE", conflicts_with = "temp", help_heading = "Question")]
    pub(crate) calibration: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
