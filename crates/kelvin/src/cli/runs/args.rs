//! The arguments of `runs`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::cli::sweep::args::DbArgs;

/// `runs`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin runs
  kelvin runs show last --texts 2
  kelvin runs compare 3 4
  kelvin runs replay 3 -t \"0.2..3 step 0.2\"
  kelvin runs export 3 --format parquet -o texts.parquet
  kelvin runs export 3 --what tokens > tokens.csv
  kelvin runs rm 3

RUN is a run's number, the first digits of its hash, or `last`.")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<RunsAction>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print JSON for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsAction {
    /// List them (the default)
    List,
    /// Show one: its recipe, and a line for each chain
    Show {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        /// Show the first K texts of each prompt with each chain
        #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "1")]
        texts: Option<usize>,
    },
    /// Show what differs between two: their recipes, and the texts of the rows that both have
    Compare {
        /// One
        #[arg(value_name = "RUN")]
        a: String,
        /// The other
        #[arg(value_name = "RUN")]
        b: String,
    },
    /// Draw each token of a run again with other chains, from the logits that it kept (sweep
    /// --record logits)
    Replay {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        /// The temperatures: numbers, ranges such as "0.2..2 step 0.2", or both (default, if no
        /// chain is given: 0.5,1,2)
        #[arg(
            short = 't',
            long = "temp",
            visible_alias = "temperature",
            value_name = "T,…",
            allow_hyphen_values = true
        )]
        temp: Option<String>,
        /// A whole chain; {a,b} expands to a grid; may be repeated
        #[arg(long, value_name = "CHAIN")]
        sampler: Vec<String>,
    },
    /// Remove runs with all their texts
    #[command(alias = "remove")]
    Rm {
        /// Which
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Write a run's texts or tokens as a table
    Export {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        /// The form of the table (default: by the name of --output; else csv, or jsonl with --json)
        #[arg(long, value_enum, value_name = "FORM")]
        format: Option<FormatName>,
        /// A row for each text, or for each token
        #[arg(long, value_enum, value_name = "WHAT", default_value_t = WhatName::Texts)]
        what: WhatName,
        /// The file (default: standard output)
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// The form of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// Comma-separated values with a line of names (RFC 4180)
    Csv,
    /// A JSON object a line
    Jsonl,
    /// Apache Parquet
    Parquet,
}

/// The rows of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhatName {
    /// One for each text
    Texts,
    /// One for each token
    Tokens,
}
