//! The arguments of `tune`.

use clap::Args as ClapArgs;

use crate::cli::sweep::args::SweepArgs;

/// What "best" means unless somebody says otherwise: diversity with a floor on fluency.
pub(crate) const OBJECTIVE: &str = "vendi, surprisal<=2.5";
/// The settings that are tried unless some are given.
pub(crate) const CANDIDATES: [&str; 3] = [
    "temp={0.6..1.8 step 0.2}",
    "temp={0.6..1.8 step 0.2} | min_p={0.05,0.1}",
    "temp={0.6..1.8 step 0.2} | top_p={0.9,0.95}",
];
/// Samples of each prompt with each setting in the first round.
pub(crate) const SAMPLES: usize = 4;

/// `tune`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    /// What is wanted: METRIC, METRIC<=NUMBER, METRIC>=NUMBER …; the first as good as can be, the
    /// others as bounds
    #[arg(long, value_name = "OBJECTIVE", default_value = OBJECTIVE, help_heading = "Search")]
    pub(crate) objective: String,
    /// Settings that the last round compares
    #[arg(long, value_name = "K", default_value_t = 4, help_heading = "Search")]
    pub(crate) finalists: usize,
    #[command(flatten)]
    pub(crate) sweep: Box<SweepArgs>,
}

/// What `--temp` says here: its default is another than that of `sweep`.
pub(crate) const TEMP: &str = "The temperatures: numbers, ranges such as \"0.2..2 step 0.2\", or \
    both (default, if no chain is given: 0.6..1.8 step 0.2, alone and with min_p or top_p)";
/// What `--samples` says here.
pub(crate) const SAMPLES_HELP: &str =
    "How many texts each prompt has with each setting in the first round (default: 4)";

/// What stands under the help of `tune`, instead of what stands under that of `sweep`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  kelvin tune --prompts prompts.txt                         35 settings, the most diverse texts of \
  at most 2.5 nats a token
  kelvin tune --prompts prompts.txt --objective \"least surprisal, distinct_2>=0.9\"
  kelvin tune --prompts prompts.txt --judge gemma3 --objective \"vendi, judge<=3, loops<=0.05\"
  kelvin tune -p \"Once upon a time\" --sampler \"temp={0.5..2 step 0.1}\" --samples 8 -n 64 --plan
  kelvin tune --server http://localhost:8000/v1 -m qwen --speaks vllm --prompts prompts.txt

Each round spends as many texts as the first and keeps the better half of the settings; every \
round throws dice of its own. The last one only reports: the \
winner with its interval, and which others can't be told from it. A server tries those of the \
usual settings that it has words for. Rounds are runs in the database (kelvin runs), so a search \
that was broken off goes on \
where it stopped. Metrics: kelvin report --help.";
