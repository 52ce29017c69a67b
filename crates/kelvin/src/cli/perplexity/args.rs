//! The arguments of `perplexity`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{JsonArgs, ModelArgs, TextArgs},
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

The text is divided into windows of tokens, each read as a text of its own. If the model has a \
start token, it replaces each window's first token. The first SKIP + 1 tokens of a window aren't \
scored. The defaults are those of llama.cpp's llama-perplexity: consecutive windows of 512 \
tokens, of which the first half and one more token aren't scored; an incomplete last window is \
left out. --skip 0 scores all tokens of a window but the first. With --stride, windows overlap, \
and the last STRIDE tokens of each are scored. A text shorter than a window is one window.")]
pub(crate) struct PerplexityArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,
    /// Tokens read at a time (default: --ctx-size, or 512)
    #[arg(short = 'w', long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) window: Option<usize>,
    /// Tokens from the start of a window to the start of the next (default: the window)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) stride: Option<usize>,
    /// The first N + 1 tokens of each window are context only (default: half of the window; with
    /// --stride, WINDOW - STRIDE - 1)
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
