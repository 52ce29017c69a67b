//! The arguments of `sweep`, and the flag for the database of runs.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use kelvin_engine::transformer::CacheFormat;

use crate::cli::shared::{
    args::{BanArgs, FetchArgs, cache_formats},
    drafts::DraftArgs,
    proof::ProofArgs,
    sampling::{StageArgs, not_beside_a_chain},
    temp::{OR_RANGES, TempArgs, USUAL, several},
    texts::TextTempArgs,
};

/// `sweep`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "\
Examples:
  kelvin sweep -p \"Write about Nepal\" -t \"0.2..2 step 0.2\" --samples 8 -n 64
  kelvin sweep --prompts prompts.jsonl --sampler \"temp={1,1.5,2} | min_p={0,0.05,0.1}\" --samples 4
  kelvin sweep -p \"Once upon a time\" --raw --text-temperature 0.25,0.5 -t 0.25,0.5 --samples 8 -n 16
  kelvin sweep study.toml --plan
  kelvin sweep study.toml --samples 16
  kelvin sweep --server http://localhost:8000/v1 -m qwen --speaks vllm -p \"Once upon a time\" -t \
  0.5,1

Every prompt is continued with every chain, --samples times. Samples with equal numbers use equal \
random numbers. A text is reported once it is stored in the database. So the same command \
continues an interrupted sweep, and with more --samples it adds the missing ones. Lists in braces \
make a grid.

A recipe is a TOML file whose fields are named like the flags, with _ for -. Flags override it:
  prompts = [\"Write about Nepal\", \"Once upon a time\"]     # or prompt_file = \"prompts.jsonl\"
  temp = \"0.2..2 step 0.2\"                               # or a number, or a list
  samples = 8
  metrics = [\"vendi\", \"judge\"]                         # what report shows, and
  judge = \"gemma3\"                                      # the model that judges
  [stages]
  min_p = [0, 0.05]
  [scores]
  nepal = \"contains:Nepal\"",
    mut_arg("temp", several(OR_RANGES, USUAL))
)]
pub(crate) struct SweepArgs {
    /// A recipe: a TOML file
    #[arg(value_name = "RECIPE")]
    pub(crate) recipe: Option<PathBuf>,
    /// Show the table's size, its tokens and the expected time, and generate nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Don't ask before a table of a million texts or more
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// A prompt; may be given several times
    #[arg(
        short,
        long = "prompt",
        value_name = "PROMPT",
        allow_hyphen_values = true,
        help_heading = "Prompts"
    )]
    pub(crate) prompt: Vec<String>,
    /// A file of prompts: one a line (.txt), or records with a field `prompt` (.jsonl, .json, .csv,
    /// .tsv, .parquet), whose other fields are kept; `-` for standard input, as lines or as records
    /// of JSON
    #[arg(long, value_name = "FILE", visible_alias = "prompt-file", help_heading = "Prompts")]
    pub(crate) prompts: Option<PathBuf>,
    /// The field or column of the file that has the prompts (default: prompt, or a single user's
    /// message in messages)
    #[arg(long, value_name = "NAME", help_heading = "Prompts")]
    pub(crate) prompt_column: Option<String>,
    /// Read control tokens such as <|im_start|> in prompts as tokens
    #[arg(long, help_heading = "Prompts")]
    pub(crate) special: bool,
    /// A system message for the model's chat template
    #[arg(long, value_name = "TEXT", help_heading = "Prompts")]
    pub(crate) system: Option<String>,
    /// Use prompts unchanged, without the model's chat template
    #[arg(long, conflicts_with_all = ["chat", "system", "date"], help_heading = "Prompts")]
    pub(crate) raw: bool,
    /// Put prompts into the model's chat template (the default, if it has one)
    #[arg(long, help_heading = "Prompts")]
    pub(crate) chat: bool,
    /// The date for templates that ask for it: YYYY-MM-DD or today (UTC); it is kept in the recipe
    #[arg(long, value_name = "DATE", help_heading = "Prompts")]
    pub(crate) date: Option<String>,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    #[command(flatten)]
    pub(crate) texts: TextTempArgs,
    #[command(flatten)]
    pub(crate) stages: StageArgs,
    /// A whole chain; {a,b} expands to a grid; may be repeated
    #[arg(long, value_name = "CHAIN", help_heading = "Sampling", conflicts_with_all = not_beside_a_chain())]
    pub(crate) sampler: Vec<String>,
    /// Stage order and defaults of another engine: llama.cpp, vllm, transformers, ollama, openai
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) profile: Option<String>,
    /// Texts of each prompt with each chain (default: 1)
    #[arg(long, value_name = "K", help_heading = "Sampling")]
    pub(crate) samples: Option<usize>,
    /// Spread the samples of a chain evenly over what it makes likely, so that they repeat each
    /// other less; each alone is drawn as ever (arithmetic sampling)
    #[arg(long, help_heading = "Sampling")]
    pub(crate) spread: bool,
    /// The seed of the random numbers (default: 0)
    #[arg(short, long, value_name = "N", help_heading = "Sampling")]
    pub(crate) seed: Option<u64>,
    /// Maximum number of tokens of a text (default: 128)
    #[arg(short = 'n', long, value_name = "N", aliases = ["n-predict", "predict", "num-predict"], help_heading = "Length")]
    pub(crate) max_tokens: Option<usize>,
    /// Stop string: ends a text and isn't part of it; may be repeated
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Length")]
    pub(crate) stop: Vec<String>,
    #[command(flatten)]
    pub(crate) bans: BanArgs,
    /// Continue after an end token
    #[arg(long, alias = "ignore-eos", help_heading = "Length")]
    pub(crate) ignore_end: bool,
    /// Record more for each token: shift (how far the chain moved the distribution), logits (all
    /// logits, for `runs replay`), or logits=N (the N largest exactly and a histogram of the rest:
    /// a few per cent of the size)
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', help_heading = "Output")]
    pub(crate) record: Vec<String>,
    /// A score of your own, NAME=KIND; may be repeated. Kinds: expected, contains:TEXT,
    /// regex:PATTERN, json, schema:FILE, command:COMMAND, judge:QUESTION, csv:FILE (kelvin report
    /// --help explains them). Scores belong to the recipe's hash
    #[arg(long, value_name = "NAME=KIND", help_heading = "Report")]
    pub(crate) score: Vec<String>,
    /// Metrics that `report` shows of the run: names (see kelvin report --help), or all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Report")]
    pub(crate) metrics: Vec<String>,
    /// The judge: a model that scores how likely the texts are (a name, a path or a file of the
    /// hub), or none
    #[arg(long, value_name = "MODEL", help_heading = "Report")]
    pub(crate) judge: Option<String>,
    /// A name from `kelvin models`, a path to a GGUF file, or hub-owner/repo:file.gguf (default:
    /// smollm2)
    #[arg(short, long, value_name = "MODEL", help_heading = "Model")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// Number of threads (default: all cores); the texts don't depend on it
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) threads: Option<usize>,
    /// Texts in the batch; the texts don't depend on it
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Model")]
    pub(crate) width: usize,
    /// Context size in tokens (default: what the model was trained for)
    #[arg(long, value_name = "N", alias = "context", help_heading = "Model")]
    pub(crate) ctx_size: Option<usize>,
    /// Format of the KV cache (default: f16)
    #[arg(long, value_name = "TYPE", value_parser = cache_formats(), help_heading = "Model")]
    pub(crate) cache_type: Option<CacheFormat>,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    /// Use a server with OpenAI's API: its base URL, which ends in /v1 (-m names its model; prompts
    /// are sent without a chat template)
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub(crate) server: Option<String>,
    /// Settings that the server understands beyond OpenAI's: kelvin, vllm, llama.cpp
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(crate) speaks: Option<String>,
    /// The environment variable that holds the server's API key
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(crate) key_env: Option<String>,
    /// Requests at once
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Server")]
    pub(crate) requests: usize,
    /// How long one answer may take, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 600, help_heading = "Server")]
    pub(crate) timeout: u64,
    /// How long to wait, in seconds, for a server that doesn't answer (default: 120, and 2 for one
    /// that has never answered)
    #[arg(long, value_name = "SECS", help_heading = "Server")]
    pub(crate) patience: Option<u64>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print JSON lines: one for the run, one for each stored text, one at the end
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// `sweep` and its flags that `tune` doesn't have.
#[derive(Debug, ClapArgs)]
pub(crate) struct SweepVerbArgs {
    #[command(flatten)]
    pub(crate) sweep: SweepArgs,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
    #[command(flatten)]
    pub(crate) ray: RayArgs,
}

/// A Ray cluster as the place where texts are made.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct RayArgs {
    /// Have the Ray cluster at this address make the texts (auto: this machine's); only the command
    /// of the Python package can, with ray[data] installed
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["plan", "server", "proof"])]
    pub(crate) ray: Option<String>,
    /// A folder that all nodes share, a path or URI: workers write their rows there, and the
    /// database is filled at the end (default: rows come back one block at a time)
    #[arg(long, value_name = "FOLDER", requires = "ray")]
    pub(crate) ray_out: Option<String>,
    /// Number of workers (default: as many as the cluster has cores for); --threads counts for each
    #[arg(long, value_name = "N", requires = "ray")]
    pub(crate) ray_workers: Option<usize>,
}

/// The database of runs.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DbArgs {
    /// The database of runs (default: runs.db in the platform's data folder for kelvin)
    #[arg(
        long,
        value_name = "FILE",
        env = "KELVIN_DB",
        hide_env_values = true,
        global = true,
        help_heading = "Output"
    )]
    pub(crate) db: Option<PathBuf>,
}
