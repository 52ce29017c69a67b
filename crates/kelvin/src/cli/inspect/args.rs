//! The arguments of `inspect`.

use clap::Args as ClapArgs;

use crate::cli::shared::args::{JsonArgs, NamedModelArgs};

/// `inspect`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin inspect
  kelvin inspect model.gguf --tensors
  kelvin inspect gemma3 --json")]
pub(crate) struct InspectArgs {
    /// The model, as an alternative to -m
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
