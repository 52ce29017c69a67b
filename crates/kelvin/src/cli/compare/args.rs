//! The arguments of `compare`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{LengthArgs, ModelsArgs, OutputArgs, PromptArgs},
    drafts::DraftArgs,
    form::FormArgs,
    number,
    proof::ProofArgs,
    sampling::SamplingArgs,
    temp::{TempArgs, USUAL, several},
    texts::TextTempArgs,
};

/// `compare`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "\
Examples:
  kelvin compare \"Write about Nepal\"
  kelvin compare \"Write about Nepal\" -t 0.1,0.5,1,2 --samples 8 -n 64
  kelvin compare \"Once upon a time\" --raw -t 0,1 --top-k 40 --seed 7
  cat question.txt | kelvin compare -t 0.7,1.5 --system \"Answer in one line.\" --json
  kelvin compare \"Is Nepal in Asia?\" --choice Yes --choice No --samples 8
  kelvin compare \"Write about Nepal\" -t 0.5,1 -m smollm2 -m gemma3
  kelvin compare \"Write about Nepal\" --text-temperature 0.25,0.5 -t 0.25,0.5
  kelvin compare \"Write about Nepal\" -t 0.5,1 --search beam:4 --search mbr:16,temp:0.7

The prompt is put into the model's chat template if there is one (--raw: it stays unchanged).
All columns use equal random numbers, so temperature alone makes the difference. With several \
models there are columns for each, in turn, at the same temperatures and with the same seed.",
    mut_arg("temp", several("", USUAL))
)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    /// Continuations at each temperature; several show how much is chance
    #[arg(long, value_name = "K", default_value_t = 1, help_heading = "Sampling",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) samples: usize,
    /// Spread the samples of a temperature evenly over what it makes likely, so that they repeat
    /// each other less; each alone is drawn as ever (arithmetic sampling)
    #[arg(long, help_heading = "Sampling")]
    pub(crate) spread: bool,
    /// Add a column with the sampling settings that the model file recommends (general.sampling.*)
    #[arg(long, help_heading = "Sampling")]
    pub(crate) recommended: bool,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) texts: TextTempArgs,
    /// Add a column with the best text of a search: a method of `kelvin search` and its number,
    /// then settings, as in beam:4 or mbr:16,temp:0.7; may be repeated
    #[arg(long, value_name = "METHOD:N,…", allow_hyphen_values = true, help_heading = "Search")]
    pub(crate) search: Vec<String>,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelsArgs,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
}
