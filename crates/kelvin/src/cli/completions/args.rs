//! The arguments of `completions`.

use clap::Args as ClapArgs;

use crate::cli::shared::args::JsonArgs;

/// `completions`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin completions bash > ~/.local/share/bash-completion/completions/kelvin
  kelvin completions zsh > ~/.zfunc/_kelvin
  kelvin completions fish > ~/.config/fish/completions/kelvin.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
