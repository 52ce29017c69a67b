//! The arguments of `verify`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{FetchArgs, JsonArgs},
    drafts::DraftArgs,
    number,
};

/// `verify`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin compare \"Write about Nepal\" -t 0.5,1,2 --proof nepal.proof
  kelvin verify nepal.proof
  kelvin verify nepal.proof -m ~/models/SmolLM2.gguf --threads 1 --json

Every text of the file is made again from its recipe, and each step is compared: the logits by their \
hash, the draw (random word and weights), the token. Threads, --width, --draft and the CPU don't \
matter to any of them.

Exit codes: 0 all is equal, 3 something differs, 1 it couldn't be tried (another model, a file that \
can't be read), 2 the command line is wrong.")]
pub(crate) struct VerifyArgs {
    /// A reproduction file (--proof of generate, compare and sweep)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The model, if it isn't in `kelvin models`: a path to a GGUF file or Hugging Face folder,
    /// or hub-owner/repo:file.gguf. It must have the hash that the file names
    #[arg(short, long, value_name = "MODEL", help_heading = "Model")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// Number of threads (default: all cores)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true,
        help_heading = "Model")]
    pub(crate) threads: Option<usize>,
    /// Texts in the batch
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = number::count,
        allow_negative_numbers = true, help_heading = "Model")]
    pub(crate) width: usize,
    /// Which kernels compute
    #[arg(long, value_name = "NAME", hide = true)]
    pub(crate) isa: Option<String>,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
