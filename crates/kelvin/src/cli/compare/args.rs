//! The arguments of `compare`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{LengthArgs, ModelArgs, OutputArgs, PromptArgs},
    form::FormArgs,
    number,
    sampling::SamplingArgs,
};

/// `compare`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin compare \"Write about Nepal\"
  kelvin compare \"Write about Nepal\" -t 0.1,0.5,1,2 --samples 8 -n 64
  kelvin compare \"Once upon a time\" --raw -t 0,1 --top-k 40 --seed 7
  cat question.txt | kelvin compare -t 0.7,1.5 --system \"Answer in one line.\" --json
  kelvin compare \"Is Nepal in Asia?\" --choice Yes --choice No --samples 8

The prompt goes through the model's chat template if it has one (--raw: as it is).
All columns use the same random numbers, so temperature alone makes the difference.")]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    /// The temperatures: 0 is greedy, 1 is the model's own, higher is wilder (default: that of
    /// --sampler, or 0.5,1,2)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T,…",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temperatures: Option<String>,
    /// Continuations at each temperature; they tell chance from temperature
    #[arg(long, value_name = "K", default_value_t = 1, help_heading = "Sampling",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) samples: usize,
    /// Add a column with the sampling settings that the model file recommends (general.sampling.*)
    #[arg(long, help_heading = "Sampling")]
    pub(crate) recommended: bool,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
