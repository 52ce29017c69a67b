//! The arguments of `serve`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use kelvin_server::Origin;

use crate::cli::shared::{args::ModelArgs, drafts::DraftArgs};

/// `studio`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin studio
  kelvin studio -m gemma3 --port 9000
  kelvin studio --static page

With --static, the folder is a page for any web server. The engine runs in the browser's tab, with \
the same texts, and the model's file is fetched once and kept there.")]
pub(crate) struct StudioArgs {
    /// Write the studio into this folder instead of serving it: the page, the engine as WebAssembly
    /// and the model's file
    #[arg(long = "static", value_name = "DIR", help_heading = "Static page")]
    pub(crate) folder: Option<PathBuf>,
    /// With --static, the engine's module (default: kelvin.wasm beside this program)
    #[arg(long, value_name = "FILE", requires = "folder", help_heading = "Static page")]
    pub(crate) engine: Option<PathBuf>,
    /// With --static, leave the model out: the page's reader chooses a file
    #[arg(long, requires = "folder", help_heading = "Static page")]
    pub(crate) without_model: bool,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// `serve`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin serve
  kelvin serve --open
  kelvin serve -m gemma3 --port 9000 --parallel 8
  KELVIN_API_KEY=secret kelvin serve --host 0.0.0.0
  kelvin serve --allow-origin https://app.example

The base URL for clients of OpenAI's API is the printed address followed by /v1. Ctrl-C or \
SIGTERM ends the server when running answers are complete, at the latest after --drain seconds. A \
second one ends it at once.")]
pub(crate) struct ServeArgs {
    /// Open the studio in a browser
    #[arg(long, help_heading = "Server")]
    pub(crate) open: bool,
    /// The address to listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1", help_heading = "Server")]
    pub(crate) host: String,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080, help_heading = "Server")]
    pub(crate) port: u16,
    /// Maximum number of texts in the batch
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Server")]
    pub(crate) parallel: usize,
    /// Size of the KV cache in tokens, for running texts and the prefix cache (default: one context
    /// and 4096 for each of --parallel, but at most half of the free memory)
    #[arg(long, value_name = "TOKENS", alias = "room", help_heading = "Server")]
    pub(crate) cache_tokens: Option<usize>,
    /// Prompts that may wait; more are refused with 503
    #[arg(long, value_name = "N", default_value_t = 128, help_heading = "Server")]
    pub(crate) queue: usize,
    /// Require an API key: this file's content (or the value of KELVIN_API_KEY)
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Allow web pages of this origin to use the server (CORS): scheme://host:port, or * for all;
    /// may be repeated
    #[arg(long, value_name = "ORIGIN", help_heading = "Server")]
    pub(crate) allow_origin: Vec<Origin>,
    /// Maximum number of connections; beyond it, the one idle longest is closed
    #[arg(long, value_name = "N", default_value_t = 1024, help_heading = "Server")]
    pub(crate) connections: usize,
    /// Seconds that a client may take to send a request, and to read an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Server")]
    pub(crate) patience: u64,
    /// Seconds that running answers may take after Ctrl-C or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Server")]
    pub(crate) drain: u64,
    /// The date for chat templates that ask for it: YYYY-MM-DD, or today, that of each request
    /// (UTC)
    #[arg(long, value_name = "DATE", default_value = "today", help_heading = "Server")]
    pub(crate) date: String,
    /// Start requests that name no `sampler` and no `profile` from the sampling settings that the
    /// model file recommends (general.sampling.*); a request's own settings replace them one by one
    #[arg(long, help_heading = "Server")]
    pub(crate) recommended: bool,
    /// Let the studio keep sessions in this folder as well, for all who use the server; without it
    /// they are in the browser alone
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    pub(crate) sessions: Option<PathBuf>,
    /// Take the temperatures of decisions (/v1/decisions) from a file that `kelvin calibrate` wrote
    /// for this model
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(crate) calibration: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
}
