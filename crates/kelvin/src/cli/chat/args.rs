//! The arguments of `chat`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{BanArgs, ModelArgs, OutputArgs},
    drafts::DraftArgs,
    form::FormArgs,
    number,
    sampling::{RecommendedArgs, SamplingArgs},
    temp::TempArgs,
};

/// `chat`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin chat
  kelvin chat -t 0.7 --system \"You are a terse poet.\"
  printf 'Hello!\\n/why\\n' | kelvin chat --seed 7
  kelvin chat --json-schema '{\"type\": \"object\"}'

In the conversation: /temp T, /seed N, /retry, /undo, /why, /help, /exit.")]
pub(crate) struct ChatArgs {
    /// A system message for the model's chat template
    #[arg(long, value_name = "TEXT", help_heading = "Prompt")]
    pub(crate) system: Option<String>,
    /// The date for templates that ask for it: YYYY-MM-DD or today (UTC, the default)
    #[arg(long, value_name = "DATE", help_heading = "Prompt")]
    pub(crate) date: Option<String>,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) recommended: RecommendedArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// Maximum number of tokens of an answer
    #[arg(short = 'n', long, value_name = "N", default_value_t = 512, help_heading = "Length",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) max_tokens: usize,
    #[command(flatten)]
    pub(crate) bans: BanArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
