//! Sampling flags, under the names that other engines use. A flag is a stage of the chain.

use clap::{Arg, ArgMatches, Args as ClapArgs, Command, FromArgMatches};
use kelvin_sampling::{Flag, STAGES, StageInfo};

use super::number;

/// The profile without `--profile`.
pub(crate) const DEFAULT_PROFILE: &str = "kelvin";

/// Flags of single stages, made from the table of stages.
#[derive(Debug, Clone)]
pub(crate) struct StageArgs {
    /// Names of stages with their values, in the order in which help lists the flags.
    typed: Vec<(&'static str, String)>,
}

/// The stages that have a flag, in the order of the help text.
fn flags() -> Vec<(&'static StageInfo, Flag)> {
    let mut flags: Vec<_> = STAGES.iter().filter_map(|info| Some((info, info.flag?))).collect();
    flags.sort_by_key(|(info, _)| info.listing_order());
    flags
}

/// The arguments that conflict with a whole chain.
pub(crate) fn not_beside_a_chain() -> Vec<&'static str> {
    flags().into_iter().map(|(_, flag)| flag.name).chain(["profile"]).collect()
}

fn arg(flag: Flag) -> Arg {
    Arg::new(flag.name)
        .long(flag.name)
        .value_name(flag.value)
        .help(flag.help)
        .visible_aliases(flag.aliases.iter().copied())
        .aliases(flag.hidden_aliases.iter().copied())
        .allow_hyphen_values(true)
}

impl ClapArgs for StageArgs {
    fn augment_args(command: Command) -> Command {
        command.next_help_heading("Sampling").args(flags().into_iter().map(|(_, flag)| arg(flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        StageArgs::augment_args(command)
    }
}

impl FromArgMatches for StageArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<StageArgs, clap::Error> {
        let value = |(info, flag): (&'static StageInfo, Flag)| {
            Some((info.name, matches.get_one::<String>(flag.name)?.clone()))
        };
        Ok(StageArgs { typed: flags().into_iter().filter_map(value).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = StageArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// How tokens are drawn.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct SamplingArgs {
    #[command(flatten)]
    single: StageArgs,
    /// The whole chain, e.g. "temp=0.8 | top_k=40 | top_p=0.95"; `kelvin stages` lists the stages.
    /// Or a schedule of chains, e.g. "repeats 8: heat 2; think: temp=1; temp=0.5": no sequence, but
    /// for each token the first place that holds decides
    #[arg(long, value_name = "CHAIN", conflicts_with_all = not_beside_a_chain())]
    pub(crate) sampler: Option<String>,
    /// Stage order and defaults of another engine: llama.cpp, vllm, transformers, ollama, openai,
    /// transformers.js, onnxruntime-genai, openvino-genai, ctranslate2, mlx-lm
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROFILE)]
    pub(crate) profile: String,
    /// The seed of the random numbers; without it one is drawn and printed
    #[arg(short, long, value_name = "N", value_parser = number::seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
}

/// Whether the model file's sampling settings are used.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct RecommendedArgs {
    /// Start from the sampling settings that the model file recommends (general.sampling.*); -t
    /// and single flags replace them one by one
    #[arg(long, conflicts_with_all = ["sampler", "profile"], help_heading = "Sampling")]
    pub(crate) recommended: bool,
}

impl StageArgs {
    /// The stages that were asked for by single flags, in the notation of a chain.
    pub(crate) fn stages(&self) -> Vec<String> {
        self.typed.iter().map(|(name, value)| format!("{name}={}", value.trim())).collect()
    }
}

impl SamplingArgs {
    /// The stages that were asked for by single flags, in the notation of a chain.
    pub(crate) fn stages(&self) -> Vec<String> {
        self.single.stages()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &[&str]) -> Result<Vec<String>, clap::Error> {
        let command = StageArgs::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(typed)?;
        Ok(StageArgs::from_arg_matches(&matches)?.stages())
    }

    /// Each stage's flag under its name and each alias, with a value of the notation.
    #[test]
    fn every_flag_of_the_table_gives_its_stage() {
        let help =
            StageArgs::augment_args(Command::new("test").term_width(0)).render_help().to_string();
        for info in STAGES {
            let Some(flag) = info.flag else { continue };
            let example = info.example();
            let (_, value) = example.split_once('=').unwrap();
            for name in [flag.name].iter().chain(flag.aliases).chain(flag.hidden_aliases) {
                let found = parse(&[&format!("--{name}"), value]).unwrap();
                assert_eq!(found, [example.as_str()], "--{name}");
            }
            assert!(help.contains(&format!("--{} <{}>", flag.name, flag.value)), "{help}");
            assert!(help.contains(flag.help), "{help}");
        }
        assert_eq!(parse(&["--top-k", " -1 "]).unwrap(), ["top_k=-1"]);
    }

    /// Lists in flags are expanded in this order, so the rows of a sweep depend on it.
    #[test]
    fn flags_keep_their_order() {
        let names: Vec<&str> = flags().iter().map(|(info, _)| info.name).collect();
        let before = "top_k top_p min_p top_n_sigma typical xtc repetition frequency presence dry \
                      mirostat bias";
        let known: Vec<&str> = names
            .into_iter()
            .filter(|name| before.split(' ').any(|known| known == *name))
            .collect();
        assert_eq!(known.join(" "), before);
    }
}
