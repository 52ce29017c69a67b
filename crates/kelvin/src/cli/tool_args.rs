//! The arguments of `inspect`, `tokenize`, `perplexity` and `bench`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{
    number,
    shared_args::{JsonArgs, ModelArgs, NamedModelArgs, PromptArgs},
};

/// `inspect`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin inspect
  kelvin inspect model.gguf --tensors
  kelvin inspect gemma3 --json")]
pub(crate) struct InspectArgs {
    /// The model, without -m before it
    #[arg(value_name = "MODEL")]
    pub(crate) bare: Option<String>,
    #[command(flatten)]
    pub(crate) named: NamedModelArgs,
    /// List every tensor
    #[arg(long)]
    pub(crate) tensors: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `tokenize`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin tokenize \"Namaste, Kathmandu!\"
  kelvin tokenize --chat \"Hello\" --json
  kelvin tokenize -m gemma3 --file text.txt")]
pub(crate) struct TokenizeArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) named: NamedModelArgs,
    /// Leave out the tokens that the file adds around a text
    #[arg(long, help_heading = "Prompt")]
    pub(crate) no_bos: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

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

/// `perplexity`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin perplexity --file text.txt
  kelvin perplexity -m gemma3 --file text.txt --json
  kelvin perplexity --file text.txt --window 1024 --stride 256
  kelvin perplexity --per-token \"Kathmandu is the capital of Nepal.\"

The text's tokens are cut into windows, each read as a text of its own; where the model adds a \
first token, it takes the place \
of each window's first. Scored are the tokens after the first SKIP + 1 of a window. By default \
windows of 512 follow one \
another, the first half and one token more are only read, and what doesn't fill a window is left \
out: that is the convention \
of llama.cpp's llama-perplexity. --skip 0 scores every token but the first of each window. With \
--stride, windows overlap, and \
the last STRIDE tokens of each are scored. A text shorter than a window is one window.")]
pub(crate) struct PerplexityArgs {
    /// The text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Read the text from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// Tokens read at a time (default: --ctx-size, or 512)
    #[arg(short = 'w', long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) window: Option<usize>,
    /// Tokens from the beginning of a window to that of the next (default: the window)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) stride: Option<usize>,
    /// Tokens at the beginning of each window that predict nothing that counts (default: half of
    /// it; with --stride, all but STRIDE)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) skip: Option<usize>,
    /// Use the first N windows only
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) windows: Option<usize>,
    /// List every scored token with its surprisal
    #[arg(long)]
    pub(crate) per_token: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
