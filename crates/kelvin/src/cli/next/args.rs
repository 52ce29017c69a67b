//! The arguments of `next`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{ModelArgs, OutputArgs, PromptArgs},
    number,
    sampling::SamplingArgs,
    temp::{OR_INF, TempArgs, USUAL, several},
};

/// `next`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "\
Examples:
  kelvin next \"The capital of Nepal is\" -t 1,5
  kelvin next -e \"A: Hey, How you doin'?\\nB:\" -t 1,5 -k 10
  kelvin next \"Once upon a\" -t 0.8 --top-k 40 --top-p 0.9 --stages --json

The text stays unchanged (--chat: it is put into the model's chat template).",
    mut_arg("temp", several(OR_INF, USUAL))
)]
pub(crate) struct NextArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    /// Number of tokens to list
    #[arg(short = 'k', long, value_name = "K", default_value_t = 10, help_heading = "Output",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) top: usize,
    /// Show what every stage of the chain does
    #[arg(long, help_heading = "Output")]
    pub(crate) stages: bool,
    /// Show rank and probability of a token, however rare: its text, or #ID (with --stages, after
    /// each stage); may be repeated
    #[arg(long = "token", value_name = "TOKEN", help_heading = "Output")]
    pub(crate) tokens: Vec<String>,
    /// Show the first N temperatures, up to 10, at which the random numbers of --seed (default 0)
    /// draw another token
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10", help_heading = "Output",
        value_parser = number::count)]
    pub(crate) changes: Option<usize>,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
