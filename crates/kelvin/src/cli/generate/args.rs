//! The arguments of `generate`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{LengthArgs, ModelArgs, OutputArgs, PromptArgs, TemperatureArgs},
    form::FormArgs,
    sampling::{RecommendedArgs, SamplingArgs},
};

/// `generate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin generate \"Once upon a time\" -t 0.8 -n 64
  kelvin generate --chat \"Write a haiku about Nepal\" --seed 7
  kelvin generate --file story.txt --top-p 0.95 --stop \"The End\" > more.txt
  kelvin generate --chat \"Describe Mount Everest\" --json-schema mountain.json -n 256
  kelvin generate \"Nepal's flag was adopted in \" --regex \"[0-9]{4}\"

The text is taken as it is (--chat: put into the model's chat template).")]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) heat: TemperatureArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) recommended: RecommendedArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
