//! The command line as clap parses it. `options` interprets it.
//!
//! Temperatures and chains stay text here, so that their errors are Kelvin's own sentences.

use clap::{Args as ClapArgs, Parser, Subcommand};

use super::number;

pub(crate) use super::{
    form::FormArgs,
    report_args::ReportArgs,
    sampling_args::{SamplingArgs, SoftmaxArgs, StagesArgs, TranslateArgs},
    serve_args::ServeArgs,
    shared_args::{
        CacheType, FetchArgs, JsonArgs, LengthArgs, ModelArgs, NamedModelArgs, OutputArgs,
        PromptArgs, TemperatureArgs,
    },
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
    /// Write the man pages, one for each verb, into a folder
    #[command(hide = true)]
    Man(ManArgs),
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

/// `man`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// The folder; it is made if it doesn't exist
    pub(crate) folder: std::path::PathBuf,
}
