//! The arguments of `bench`.

use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::shared::{args::ModelArgs, drafts::DraftFrom, number};

/// `bench`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin bench
  kelvin bench -m gemma3 --threads 1 --work decode --depths 0,512,2048
  kelvin bench --work compare --batch 1,2,4,8,16,32 --json

`prompt` measures prefill; `decode` continues one text of each depth; `compare` reads a prompt of \
128 tokens and continues it in one batch, prefill included. GB/s counts the weights, keys and \
values that have to be read, GOP/s the multiplications and additions with weights. The limits \
beside them are measured between the samples. Run nothing else meanwhile: samples that another process \
disturbed are dropped, and their number is shown.")]
pub(crate) struct BenchArgs {
    /// What to measure: reading a prompt, continuing one text (decode), or reading a prompt and
    /// continuing it in several ways (compare)
    #[arg(
        long,
        value_enum,
        value_name = "WORK,…",
        value_delimiter = ',',
        default_value = "prompt,decode,compare"
    )]
    pub(crate) work: Vec<WorkName>,
    /// Lengths of prompts to read
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "512")]
    pub(crate) prompts: Vec<usize>,
    /// Lengths of the texts that `decode` continues, in tokens
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "0,1024")]
    pub(crate) depths: Vec<usize>,
    /// Numbers of continuations that `compare` decodes in one batch
    #[arg(
        long,
        alias = "ways",
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "1,4,16"
    )]
    pub(crate) batch: Vec<usize>,
    /// Tokens of each continuation
    #[arg(short = 'n', long, value_name = "N", default_value_t = 64, value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) tokens: usize,
    /// Undisturbed samples of each measurement
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Read several tokens at once where the next ones can be guessed: from what followed the same
    /// tokens before (lookup), or also from what a constraint forces (auto), or also from a smaller
    /// model with the same vocabulary (its name or path); the text doesn't depend on it
    #[arg(
        long,
        value_name = "off|lookup|auto|MODEL",
        default_value = "off",
        help_heading = "Model"
    )]
    // Not the default of other verbs: a share of a limit is that of one token a read.
    pub(crate) draft: DraftFrom,
    /// Print only the JSON line
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// What `bench` measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkName {
    // The values have no doc comments: clap would list each, which doubles the verb's help.
    Prompt,
    Decode,
    Compare,
}
