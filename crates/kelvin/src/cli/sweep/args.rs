//! The arguments of `sweep`, and where runs are kept.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use kelvin_engine::transformer::CacheFormat;

use crate::cli::shared::{
    args::{FetchArgs, cache_formats},
    sampling::{StageArgs, not_beside_a_chain},
};

/// `sweep`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin sweep -p \"Write about Nepal\" -t \"0.2..2 step 0.2\" --samples 8 -n 64
  kelvin sweep --prompts prompts.jsonl --sampler \"temp={1,1.5,2} | min_p={0,0.05,0.1}\" --samples 4
  kelvin sweep study.toml --plan
  kelvin sweep study.toml --samples 16
  kelvin sweep --server http://localhost:8000/v1 -m qwen --speaks vllm -p \"Once upon a time\" -t \
  0.5,1

Every prompt is continued by every chain, --samples times; samples of one number share their dice. \
Each text is safe in the \
database before it is reported: whatever ends a sweep, the same command goes on from there, and \
with more --samples it adds \
them. Lists in braces make a grid.

A recipe is a TOML file whose fields are the flags, with _ for -; flags go over it:
  prompts = [\"Write about Nepal\", \"Once upon a time\"]     # or prompt_file = \"prompts.jsonl\"
  temp = \"0.2..2 step 0.2\"                               # or a number, or a list
  samples = 8
  metrics = [\"vendi\", \"judge\"]                         # what report shows of it, and
  judge = \"gemma3\"                                      # who judges there
  [stages]
  min_p = [0, 0.05]")]
pub(crate) struct SweepArgs {
    /// A recipe: a TOML file
    #[arg(value_name = "RECIPE")]
    pub(crate) recipe: Option<PathBuf>,
    /// Show the table's size, its tokens and the expected time, and do nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Fill a table of a million texts or more without being asked
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
    /// .tsv, .parquet), whose other fields are kept
    #[arg(long, value_name = "FILE", visible_alias = "prompt-file", help_heading = "Prompts")]
    pub(crate) prompts: Option<PathBuf>,
    /// The field or column of the file of prompts that holds them (default: prompt, or a single
    /// user's message in messages)
    #[arg(long, value_name = "NAME", help_heading = "Prompts")]
    pub(crate) prompt_column: Option<String>,
    /// Read control tokens such as <|im_start|> in prompts as tokens
    #[arg(long, help_heading = "Prompts")]
    pub(crate) special: bool,
    /// A system text, put before the prompts by the model's chat template
    #[arg(long, value_name = "TEXT", help_heading = "Prompts")]
    pub(crate) system: Option<String>,
    /// Take prompts as they are, without the model's chat template
    #[arg(long, conflicts_with_all = ["chat", "system", "date"], help_heading = "Prompts")]
    pub(crate) raw: bool,
    /// Put prompts into the model's chat template (the default, if it has one)
    #[arg(long, help_heading = "Prompts")]
    pub(crate) chat: bool,
    /// The date for templates that ask for it: YYYY-MM-DD or today (UTC); it is kept in the recipe
    #[arg(long, value_name = "DATE", help_heading = "Prompts")]
    pub(crate) date: Option<String>,
    /// The temperatures: numbers, ranges such as "0.2..2 step 0.2", or both (default, if no chain
    /// is given: 0.5,1,2)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T,…",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temp: Option<String>,
    #[command(flatten)]
    pub(crate) stages: StageArgs,
    /// A whole chain, in which {…} makes a grid; may be given several times
    #[arg(long, value_name = "CHAIN", help_heading = "Sampling", conflicts_with_all = not_beside_a_chain())]
    pub(crate) sampler: Vec<String>,
    /// Order and defaults of another engine: llama.cpp, vllm, transformers, ollama, openai
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) profile: Option<String>,
    /// How many texts each prompt has with each chain (default: 1)
    #[arg(long, value_name = "K", help_heading = "Sampling")]
    pub(crate) samples: Option<usize>,
    /// The dice (default: 0)
    #[arg(short, long, value_name = "N", help_heading = "Sampling")]
    pub(crate) seed: Option<u64>,
    /// How many tokens a text has at most (default: 128)
    #[arg(short = 'n', long, value_name = "N", aliases = ["n-predict", "predict", "num-predict"], help_heading = "Length")]
    pub(crate) max_tokens: Option<usize>,
    /// Stop at this text (not kept); may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Length")]
    pub(crate) stop: Vec<String>,
    /// Go on after the model says it is done
    #[arg(long, alias = "ignore-eos", help_heading = "Length")]
    pub(crate) ignore_end: bool,
    /// Keep more of each token: shift (how far the chain moved the distribution), logits (for
    /// `runs replay`: all of them, exactly) or logits=N (the N likeliest exactly, of the rest how
    /// many lie how far below; a few per cent of the room)
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', help_heading = "Output")]
    pub(crate) record: Vec<String>,
    /// What `report` is to show of the run: metrics' names (kelvin report --help), or all; the
    /// texts don't depend on it
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Report")]
    pub(crate) metrics: Vec<String>,
    /// The model that is to say for it how likely it finds the texts (a name, a path or a file of
    /// the hub), or none
    #[arg(long, value_name = "MODEL", help_heading = "Report")]
    pub(crate) judge: Option<String>,
    /// A name from `kelvin models`, a path to a GGUF file, or hub-owner/repo:file.gguf (default:
    /// smollm2)
    #[arg(short, long, value_name = "MODEL", help_heading = "Model")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// How many threads compute (default: every core); the texts don't depend on it
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) threads: Option<usize>,
    /// How many texts are continued at once; they don't depend on it
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Model")]
    pub(crate) width: usize,
    /// How many tokens the context holds (default: what the model was trained for)
    #[arg(long, value_name = "N", alias = "context", help_heading = "Model")]
    pub(crate) ctx_size: Option<usize>,
    /// How keys and values are kept (default: f16)
    #[arg(long, value_name = "TYPE", value_parser = cache_formats(), help_heading = "Model")]
    pub(crate) cache_type: Option<CacheFormat>,
    /// Ask a server that speaks OpenAI's protocol instead: its address up to and with /v1 (-m names
    /// its model; prompts go as they are, without a chat template)
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub(crate) server: Option<String>,
    /// Which settings it understands beyond OpenAI's: kelvin, vllm, llama.cpp
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(crate) speaks: Option<String>,
    /// The environment variable that holds its key
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(crate) key_env: Option<String>,
    /// How many requests at once
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Server")]
    pub(crate) requests: usize,
    /// How long one answer may take, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 600, help_heading = "Server")]
    pub(crate) timeout: u64,
    /// How long to wait, in seconds, for a server that answers nobody (default: 120, and 2 for one
    /// that has never answered)
    #[arg(long, value_name = "SECS", help_heading = "Server")]
    pub(crate) patience: Option<u64>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print JSON for programs: a line for the run, one for each text that is safe, one at the end
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Where runs are kept.
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
