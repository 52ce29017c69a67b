//! The arguments of `tune`.

use clap::Args as ClapArgs;
use kelvin_lab::tune::{FINALISTS, OBJECTIVE};

use crate::cli::sweep::args::SweepArgs;

/// `tune`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    /// The objective: METRIC, METRIC<=NUMBER, METRIC>=NUMBER …; the first is optimised, the others
    /// are bounds; your own scores (--score) are metrics
    #[arg(long, value_name = "OBJECTIVE", default_value = OBJECTIVE, help_heading = "Search")]
    pub(crate) objective: String,
    /// Number of settings in the last round
    #[arg(long, value_name = "K", default_value_t = FINALISTS, help_heading = "Search")]
    pub(crate) finalists: usize,
    #[command(flatten)]
    pub(crate) sweep: Box<SweepArgs>,
}

/// The temperatures of the first round if neither a flag nor a chain says any.
pub(crate) const USUAL: &str = "0.6..1.8 step 0.2, alone and with min_p or top_p";
/// The help of `--samples` for this verb.
pub(crate) const SAMPLES_HELP: &str =
    "How many texts each prompt has with each setting in the first round (default: 4)";

/// The examples below the help of `tune`, in place of those of `sweep`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  kelvin tune --prompts prompts.txt                         35 settings, the most diverse texts of \
  at most 2.5 nats a token
  kelvin tune --prompts prompts.txt --objective \"least surprisal, distinct_2>=0.9\"
  kelvin tune --prompts prompts.txt --judge gemma3 --objective \"vendi, judge<=3, loops<=0.05\"
  kelvin tune --prompts prompts.csv --score right=expected --objective \"vendi, right>=0.8\"
  kelvin tune -p \"Once upon a time\" --sampler \"temp={0.5..2 step 0.1}\" --samples 8 -n 64 --plan
  kelvin tune --server http://localhost:8000/v1 -m qwen --speaks vllm --prompts prompts.txt

Each round generates as many texts as the first, with new random numbers, and keeps the better \
half of the settings. The last round only reports: the winner with its interval, and the settings \
that can't be told from it. With a server, only the default settings that it has parameters for \
are tried. Rounds are runs in the database (kelvin runs), so the same command continues an \
interrupted search. Metrics: kelvin report --help.";
