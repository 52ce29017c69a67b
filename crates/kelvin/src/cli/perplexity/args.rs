//! The arguments of `perplexity`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{JsonArgs, ModelArgs},
    number,
};

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
    /// Tokens at the beginning of each window that are context only (default: half of the window;
    /// with --stride, all but STRIDE)
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
