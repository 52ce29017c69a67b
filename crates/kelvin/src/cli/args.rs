//! The command line as clap parses it. `options` interprets it.
//!
//! Temperatures and chains stay text here, so that their errors are Kelvin's own sentences.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use kelvin_models::fetch::Permissions;

use super::number;

pub(crate) use super::{
    form::FormArgs,
    report_args::ReportArgs,
    sampling_args::{SamplingArgs, SoftmaxArgs, StagesArgs, TranslateArgs},
    serve_args::ServeArgs,
    sweep_args::{RunsArgs, SweepArgs},
    tool_args::{BenchArgs, InspectArgs, PerplexityArgs, TokenizeArgs, WorkName},
    tune_args::TuneArgs,
};

const MAIN_EXAMPLES: &str = "\
The main job, one prompt at three temperatures:
  kelvin compare \"Write about Nepal\" -t 0.5,1,2

More to try:
  kelvin next \"The capital of Nepal is\" -t 1,5    what could come next, and how likely
  kelvin softmax 1 2 -t 1,2,5                     what temperature does to numbers
  kelvin chat                                     talk, and ask /why
  kelvin models                                   which models there are

The first run fetches a small model (98 MB). `kelvin VERB --help` has examples for each verb.";

/// See, steer and measure how temperature makes a language model creative.
#[derive(Debug, Parser)]
#[command(name = "kelvin", version, after_help = MAIN_EXAMPLES, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs, the main job first.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Continue one prompt at several temperatures, side by side
    Compare(CompareArgs),
    /// Continue a text
    Generate(GenerateArgs),
    /// Talk with a model, change its temperature, ask it why
    Chat(ChatArgs),
    /// Fill a table of prompts × chains × samples with texts, to be measured
    Sweep(Box<SweepArgs>),
    /// List, show, compare, export and remove the tables that are there
    Runs(RunsArgs),
    /// Find the setting to use: the most diverse texts that stay fluent, or what else you want
    #[command(
        after_help = super::tune_args::EXAMPLES,
        mut_arg("temp", |flag| flag.help(super::tune_args::TEMP)),
        mut_arg("samples", |flag| flag.help(super::tune_args::SAMPLES_HELP)),
    )]
    Tune(Box<TuneArgs>),
    /// Show what runs show: every metric with its interval, figures, texts, as one HTML file
    Report(Box<ReportArgs>),
    /// Show what could come next, at several temperatures
    Next(NextArgs),
    /// Show what temperature does to numbers you type (no model needed)
    Softmax(SoftmaxArgs),
    /// List all stages and the profiles of other engines
    Stages(StagesArgs),
    /// Write a chain as another engine's settings, and say what it can't express
    Translate(TranslateArgs),
    /// List, fetch and remove models
    Models(ModelsArgs),
    /// Show what a model file holds
    Inspect(InspectArgs),
    /// Show how a text becomes tokens
    Tokenize(TokenizeArgs),
    /// Measure how likely a model finds a text
    Perplexity(PerplexityArgs),
    /// Measure how fast a model runs here, and what the machine could do at most
    Bench(BenchArgs),
    /// Answer programs over HTTP as OpenAI's API does
    Serve(ServeArgs),
    /// Print a completion script for your shell
    Completions(CompletionsArgs),
}

/// What may be done to get a model.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct FetchArgs {
    /// Never use the network
    #[arg(long, help_heading = "Model")]
    pub(crate) offline: bool,
    /// Accept the model's terms of use without being asked
    #[arg(long, help_heading = "Model")]
    pub(crate) accept_terms: bool,
}

impl FetchArgs {
    /// As the fetching has it.
    pub(crate) fn permissions(self) -> Permissions {
        Permissions { offline: self.offline, accept_terms: self.accept_terms }
    }
}

/// Which model.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct NamedModelArgs {
    /// A name from `kelvin models`, a path to a GGUF file, or hub-owner/repo:file.gguf
    #[arg(
        short,
        long,
        value_name = "MODEL",
        default_value = "smollm2",
        env = "KELVIN_MODEL",
        hide_env_values = true,
        help_heading = "Model"
    )]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
}

/// Which model, and how it is run.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    #[command(flatten)]
    pub(crate) named: NamedModelArgs,
    /// How many threads compute (default: every core); the text doesn't depend on it
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// How many tokens the context holds (default: what the model was trained for)
    #[arg(long, value_name = "N", alias = "context", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) ctx_size: Option<usize>,
    /// How keys and values are kept, in half or single precision; belongs to the recipe
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = CacheType::F16)]
    pub(crate) cache_type: CacheType,
    /// Which kernels compute; the text doesn't depend on it
    #[arg(long, value_name = "NAME", hide = true)]
    pub(crate) isa: Option<String>,
}

impl ModelArgs {
    /// A model that runs as it does unless somebody says otherwise.
    pub(crate) fn of(model: &str, fetch: FetchArgs, threads: Option<usize>) -> ModelArgs {
        ModelArgs {
            named: NamedModelArgs { model: model.to_string(), fetch },
            threads,
            ctx_size: None,
            cache_type: CacheType::F16,
            isa: None,
        }
    }
}

/// How keys and values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheType {
    // Without help of their own: it would make every verb's help twice as long.
    F16,
    F32,
}

/// Where the prompt comes from and what is done to it.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Prompt")]
pub(crate) struct PromptArgs {
    /// The prompt; `-` or nothing reads standard input
    #[arg(value_name = "PROMPT", allow_hyphen_values = false, help_heading = None::<&'static str>)]
    pub(crate) prompt: Option<String>,
    /// The prompt, as a flag
    #[arg(
        short = 'p',
        long = "prompt",
        value_name = "PROMPT",
        conflicts_with = "prompt",
        allow_hyphen_values = true
    )]
    pub(crate) prompt_flag: Option<String>,
    /// Read the prompt from a file
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["prompt", "prompt_flag"])]
    pub(crate) file: Option<PathBuf>,
    /// Read \n, \t and \\ in the prompt as newline, tab and backslash
    #[arg(short, long)]
    pub(crate) escape: bool,
    /// Read control tokens such as <|im_start|> in a raw prompt as tokens (in a template they are
    /// text)
    #[arg(long)]
    pub(crate) special: bool,
    /// A system text, put before the prompt by the model's chat template
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Take the text as it is, without the model's chat template
    #[arg(long, conflicts_with_all = ["chat", "system", "date"])]
    pub(crate) raw: bool,
    /// Put the text into the model's chat template
    #[arg(long)]
    pub(crate) chat: bool,
    /// The date for templates that ask for it: YYYY-MM-DD or today (UTC); it belongs to the recipe
    /// and is today if it isn't given
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
}

/// The one temperature of a text.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct TemperatureArgs {
    /// The temperature: 0 is greedy, 1 is the model's own, more is wilder (default: 1)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temperature: Option<String>,
}

/// When a continuation ends.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Length")]
pub(crate) struct LengthArgs {
    /// How many tokens at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 128, aliases = ["n-predict", "predict", "num-predict"],
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) max_tokens: usize,
    /// Stop at this text (not shown); may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) stop: Vec<String>,
    /// Go on after the model says it is done
    #[arg(long, alias = "ignore-eos")]
    pub(crate) ignore_end: bool,
}

/// How the answer is printed.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print JSON for programs
    #[arg(long)]
    pub(crate) json: bool,
    /// Say how long it took, in the JSON as well (without this, equal runs print equal bytes)
    #[arg(long)]
    pub(crate) timings: bool,
}

/// How an answer is printed that nobody times.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct JsonArgs {
    /// Print JSON for programs
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// `compare`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin compare \"Write about Nepal\"
  kelvin compare \"Write about Nepal\" -t 0.1,0.5,1,2 --samples 8 -n 64
  kelvin compare \"Once upon a time\" --raw -t 0,1 --top-k 40 --seed 7
  cat question.txt | kelvin compare -t 0.7,1.5 --system \"Answer in one line.\" --json
  kelvin compare \"Is Nepal in Asia?\" --choice Yes --choice No --samples 8

The prompt goes through the model's chat template if it has one (--raw: as it is).
Every column throws the same dice: what differs is temperature alone.")]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    /// The temperatures: 0 is greedy, 1 is the model's own, more is wilder (default: that of
    /// --sampler, or 0.5,1,2)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T,…",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temperatures: Option<String>,
    /// How many continuations at each temperature (tells chance from temperature)
    #[arg(long, value_name = "K", default_value_t = 1, help_heading = "Sampling",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) samples: usize,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

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
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

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
    /// A system text
    #[arg(long, value_name = "TEXT", help_heading = "Prompt")]
    pub(crate) system: Option<String>,
    /// The date for templates that ask for it: YYYY-MM-DD or today (UTC, the default)
    #[arg(long, value_name = "DATE", help_heading = "Prompt")]
    pub(crate) date: Option<String>,
    #[command(flatten)]
    pub(crate) heat: TemperatureArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// How many tokens an answer has at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 512, help_heading = "Length",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) max_tokens: usize,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `next`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin next \"The capital of Nepal is\" -t 1,5
  kelvin next -e \"A: Hey, How you doin'?\\nB:\" -t 1,5 -k 10
  kelvin next \"Once upon a\" -t 0.8 --top-k 40 --top-p 0.9 --stages --json

The text is taken as it is (--chat: put into the model's chat template).")]
pub(crate) struct NextArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    /// The temperatures: 0 is greedy, 1 is the model's own, inf makes everything equal (default:
    /// that of --sampler, or 0.5,1,2)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T,…",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temperatures: Option<String>,
    /// How many tokens to list
    #[arg(short = 'k', long, value_name = "K", default_value_t = 10, help_heading = "Output",
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) top: usize,
    /// Show what every stage of the chain does
    #[arg(long, help_heading = "Output")]
    pub(crate) stages: bool,
    /// Show where a token stands, however rare (with --stages after each stage): its text, or #ID;
    /// may be repeated
    #[arg(long = "token", value_name = "TOKEN", help_heading = "Output")]
    pub(crate) tokens: Vec<String>,
    /// Show the temperatures up to 10 at which the dice of --seed (default 0) draw another token,
    /// the first N
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10", help_heading = "Output",
        value_parser = number::count)]
    pub(crate) changes: Option<usize>,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `models`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin models
  kelvin models pull smollm2 gemma3
  kelvin models path smollm2
  kelvin models remove gemma3

Models are kept in one directory: KELVIN_MODELS, or kelvin in the platform's cache directory.")]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// List the catalogue and what is here (the default)
    List,
    /// Fetch and verify models
    Pull {
        /// Names from the catalogue, or hub-owner/repo:file.gguf
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
        #[command(flatten)]
        fetch: FetchArgs,
    },
    /// Remove fetched models
    #[command(alias = "rm")]
    Remove {
        /// Names from the catalogue, or hub-owner/repo:file.gguf
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
    },
    /// Print the directory, or where a model's file is
    Path {
        /// A name from the catalogue, or hub-owner/repo:file.gguf
        #[arg(value_name = "MODEL")]
        model: Option<String>,
    },
}

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
