//! The arguments of `softmax`.

use clap::Args as ClapArgs;

use crate::cli::shared::args::JsonArgs;

/// `softmax`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin softmax 1 2 -t 1,2,5
  kelvin softmax Hello=4 Namaste=1 Ciao=0.6 Hola=0.5 \"Ni Hao=0.1\" Konnichiwa=0
  kelvin softmax 4 1 0.6 0.5 0.1 0 -t 1,2 --sampler \"temp=1 | top_p=0.9 | min_p=0.1\"
  kelvin softmax -t 0.5 -- -1 -2.5 0

Each number is a logit, with a label before it if you like.")]
pub(crate) struct SoftmaxArgs {
    /// Logits, or LABEL=LOGIT
    #[arg(value_name = "LOGIT", required = true, allow_negative_numbers = true)]
    pub(crate) logits: Vec<String>,
    /// The temperatures: 0 is greedy, inf makes everything equal (default: that of --sampler, or
    /// 1,2,5)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T,…",
        allow_hyphen_values = true
    )]
    pub(crate) temperatures: Option<String>,
    /// What each stage of a chain does to them, e.g. "temp=1 | top_p=0.9"; -t sets its temperature
    #[arg(long, value_name = "CHAIN")]
    pub(crate) sampler: Option<String>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
