//! The arguments of `softmax`.

use clap::Args as ClapArgs;

use crate::cli::shared::{
    args::JsonArgs,
    temp::{OR_INF, TempArgs, several},
};

/// The temperatures without `-t` and without a chain that sets one.
pub(super) const USUAL: &str = "1,2,5";

/// `softmax`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "\
Examples:
  kelvin softmax 1 2 -t 1,2,5
  kelvin softmax Hello=4 Namaste=1 Ciao=0.6 Hola=0.5 \"Ni Hao=0.1\" Konnichiwa=0
  kelvin softmax 4 1 0.6 0.5 0.1 0 -t 1,2 --sampler \"temp=1 | top_p=0.9 | min_p=0.1\"
  kelvin softmax -t 0.5 -- -1 -2.5 0

Each number is a logit, with a label before it if you like. Commas separate as spaces do.",
    mut_arg("temp", several(OR_INF, USUAL))
)]
pub(crate) struct SoftmaxArgs {
    /// Logits, or LABEL=LOGIT
    #[arg(value_name = "LOGIT", required = true, allow_negative_numbers = true)]
    pub(crate) logits: Vec<String>,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    /// What each stage of a chain does to them, e.g. "temp=1 | top_p=0.9"; -t sets its temperature
    #[arg(long, value_name = "CHAIN", help_heading = "Sampling")]
    pub(crate) sampler: Option<String>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
