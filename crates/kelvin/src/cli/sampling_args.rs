//! How tokens are drawn, as it was typed: flags by the names that people already use, each of them
//! one stage of a chain; and the verbs that need no model.

use clap::Args as ClapArgs;

use super::{args::JsonArgs, number};

/// Single stages of a chain, by the names that people already use.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct StageArgs {
    /// Keep the K most likely tokens (0: all)
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    top_k: Option<String>,
    /// Keep the most likely tokens that together have probability P (1: all)
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    top_p: Option<String>,
    /// Keep tokens with at least M times the probability of the most likely one (0: all)
    #[arg(long, value_name = "M", allow_hyphen_values = true)]
    min_p: Option<String>,
    /// Keep tokens within N standard deviations of the largest logit (0: all)
    #[arg(long, value_name = "N", allow_hyphen_values = true, visible_alias = "top-nsigma")]
    top_n_sigma: Option<String>,
    /// Keep the tokens of mass P whose surprisal is nearest to the entropy (1: all)
    #[arg(long, value_name = "P", allow_hyphen_values = true, visible_alias = "typical-p")]
    typical: Option<String>,
    /// With this chance drop all but the least of the likely tokens
    #[arg(long, value_name = "CHANCE[,threshold:P]", allow_hyphen_values = true)]
    xtc: Option<String>,
    /// Divide positive logits of tokens that came before by X, multiply others (1: off)
    #[arg(long, value_name = "X", allow_hyphen_values = true, aliases = ["repetition-penalty"])]
    repeat_penalty: Option<String>,
    /// Subtract X from a logit for each time the token was drawn before
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    frequency_penalty: Option<String>,
    /// Subtract X from the logits of tokens that were drawn before
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    presence_penalty: Option<String>,
    /// Penalise going on with a repetition
    #[arg(
        long,
        value_name = "M[,base:B,length:L]",
        allow_hyphen_values = true,
        visible_alias = "dry-multiplier"
    )]
    dry: Option<String>,
    /// Keep the surprise of the text near T bits
    #[arg(long, value_name = "T[,eta:E,version:1]", allow_hyphen_values = true)]
    mirostat: Option<String>,
    /// Add to tokens' logits; ID:NUMBER,… (-inf bans)
    #[arg(long, value_name = "ID:B,…", allow_hyphen_values = true)]
    logit_bias: Option<String>,
}

/// How tokens are drawn.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct SamplingArgs {
    #[command(flatten)]
    single: StageArgs,
    /// The whole chain, e.g. "temp=0.8 | top_k=40 | top_p=0.95"; `kelvin stages` lists what there
    /// is
    #[arg(long, value_name = "CHAIN", conflicts_with_all = ["profile", "top_k", "top_p", "min_p", "top_n_sigma", "typical", "xtc",
        "repeat_penalty", "frequency_penalty", "presence_penalty", "dry", "mirostat", "logit_bias"])]
    pub(crate) sampler: Option<String>,
    /// Order and defaults of another engine: llama.cpp, vllm, transformers, ollama, openai
    #[arg(long, value_name = "NAME", default_value = "kelvin")]
    pub(crate) profile: String,
    /// The dice; without it one is drawn and printed
    #[arg(short, long, value_name = "N", value_parser = number::seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
}

impl StageArgs {
    /// The stages that were asked for by single flags, in the notation of a chain.
    pub(crate) fn stages(&self) -> Vec<String> {
        let flags = [
            ("top_k", &self.top_k),
            ("top_p", &self.top_p),
            ("min_p", &self.min_p),
            ("top_n_sigma", &self.top_n_sigma),
            ("typical", &self.typical),
            ("xtc", &self.xtc),
            ("repetition", &self.repeat_penalty),
            ("frequency", &self.frequency_penalty),
            ("presence", &self.presence_penalty),
            ("dry", &self.dry),
            ("mirostat", &self.mirostat),
            ("bias", &self.logit_bias),
        ];
        let given = flags.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.map(|(name, value)| format!("{name}={}", value.trim())).collect()
    }
}

impl SamplingArgs {
    /// The stages that were asked for by single flags, in the notation of a chain.
    pub(crate) fn stages(&self) -> Vec<String> {
        self.single.stages()
    }
}

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

/// `stages`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin stages
  kelvin generate \"Once upon a time\" --sampler \"repetition=1.1 | temp=1.5 | min_p=0.05\"
  kelvin compare \"Once upon a time\" --profile llama.cpp")]
pub(crate) struct StagesArgs {
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `translate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin translate \"temp=0.8 | top_k=40 | top_p=0.95\" --to vllm
  kelvin translate \"min_p=0.1 | temp=2\" --to llama.cpp --json")]
pub(crate) struct TranslateArgs {
    /// A chain, as for --sampler
    #[arg(value_name = "CHAIN")]
    pub(crate) chain: String,
    /// The engine: llama.cpp, vllm, transformers, ollama, openai
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
