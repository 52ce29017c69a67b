//! The arguments of `models`.

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::shared::{args::FetchArgs, number};

/// `models`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin models
  kelvin models pull smollm2 gemma3
  kelvin models path smollm2
  kelvin models check model.gguf
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
    /// List the catalogue and the models on this machine (the default)
    List,
    /// Fetch and verify models
    Pull {
        /// Names from the catalogue, or hub-owner/repo:file.gguf
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
        #[command(flatten)]
        fetch: FetchArgs,
    },
    /// Check a model: what it is, whether it runs here, how much memory it takes, how fast it can
    /// be
    Check {
        /// A name from the catalogue, a path to a GGUF file, or hub-owner/repo:file.gguf
        #[arg(value_name = "FILE")]
        model: String,
        /// Number of threads (default: all cores)
        #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
        threads: Option<usize>,
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
