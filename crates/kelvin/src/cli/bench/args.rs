//! The arguments of `bench`.

use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::shared::{args::ModelArgs, number};

/// `bench`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin bench
  kelvin bench -m gemma3 --threads 1 --work decode --depths 0,512,2048
  kelvin bench --work compare --batch 1,2,4,8,16,32 --json

A prompt is read in one go; `decode` continues one text of each depth; `compare` reads a prompt of \
128 tokens and continues \
it in so many ways together, both of which count. GB/s are the bytes of weights, keys and values \
that must be read, GOP/s \
the multiplications and additions with weights; the limits beside them are measured in the same \
run. Let nothing else \
run meanwhile: samples that a neighbour disturbed are dropped, and how many were is shown.")]
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
    /// Tokens of the texts that `decode` continues
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "0,1024")]
    pub(crate) depths: Vec<usize>,
    /// In how many ways together `compare` continues its prompt
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
    /// Undisturbed samples of each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Print only the line of JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// What `bench` measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkName {
    // Without help of their own: it would make the verb's help twice as long.
    Prompt,
    Decode,
    Compare,
}
