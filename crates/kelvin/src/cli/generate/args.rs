//! The arguments of `generate`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::{LengthArgs, ModelArgs, OutputArgs, PromptArgs},
    drafts::DraftArgs,
    form::FormArgs,
    proof::ProofArgs,
    sampling::{RecommendedArgs, SamplingArgs},
    temp::TempArgs,
    texts::TextTempArgs,
};

/// `generate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin generate \"Once upon a time\" -t 0.8 -n 64
  kelvin generate --chat \"Write a haiku about Nepal\" --seed 7
  kelvin generate --file story.txt --top-p 0.95 --stop \"The End\" > more.txt
  kelvin generate --chat \"Describe Mount Everest\" --json-schema mountain.json -n 256
  kelvin generate \"Once upon a time\" -t 1.2 --proof tale.proof && kelvin verify tale.proof
  kelvin generate \"Once upon a time\" --text-temperature 0.5 -n 32
  kelvin generate \"Nepal's flag was adopted in \" --regex \"[0-9]{4}\"

The text stays unchanged (--chat: it is put into the model's chat template).")]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) recommended: RecommendedArgs,
    #[command(flatten)]
    pub(crate) texts: TextTempArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
}
