//! The arguments of `serve`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use kelvin_server::Origin;

use crate::cli::shared::args::ModelArgs;

/// `serve`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin serve
  kelvin serve -m gemma3 --port 9000 --parallel 8
  KELVIN_API_KEY=secret kelvin serve --host 0.0.0.0
  kelvin serve --allow-origin https://app.example

Clients of OpenAI's API take the address that is printed, with /v1 behind it, as their base URL. \
Ctrl-C or SIGTERM ends the \
server once running answers are complete, after --drain seconds at the latest; a second one ends \
it at once.")]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1", help_heading = "Server")]
    pub(crate) host: String,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080, help_heading = "Server")]
    pub(crate) port: u16,
    /// Texts that run at once
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Server")]
    pub(crate) parallel: usize,
    /// Size of the KV cache in tokens, for running texts and the prefix cache (default: one context
    /// and 4096 for each of --parallel, but at most half of the free memory)
    #[arg(long, value_name = "TOKENS", help_heading = "Server")]
    pub(crate) room: Option<usize>,
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
    /// How long a client may take to send a request, and to read an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Server")]
    pub(crate) patience: u64,
    /// How long running answers may take after Ctrl-C or SIGTERM
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
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
