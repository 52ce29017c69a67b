//! The arguments of `score`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{JsonArgs, ModelsArgs, TextArgs},
    number,
};

/// `score`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin score \"Kathmandu is the capital of Nepal.\"
  kelvin score --file text.txt -m smollm2 -m gemma3
  kelvin score --file text.txt -m model-bf16.gguf -m model-q4.gguf --top 20
  kelvin score \"To be, or not to be\" -m base.gguf -m instruct.gguf --all --json

A token's score is ln p under the model's own distribution (T = 1), after all tokens before it. With \
two models, the places where they part most come first. If they have one vocabulary, each place also \
has the divergence KL(first ‖ second) of the two distributions, in nats. If not, the text is divided \
into stretches that are whole tokens of both, and only the log-probabilities of stretches are \
compared. The text is read as one, unchanged, and must fit into the context.")]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,
    /// How many places are listed: the least likely, or those where two models part most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = number::count,
        allow_negative_numbers = true)]
    pub(crate) top: usize,
    /// List every place, in the order of the text
    #[arg(long, conflicts_with = "top")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) model: ModelsArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
