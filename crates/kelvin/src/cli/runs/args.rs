//! The arguments of `runs`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::cli::{
    shared::temp::{OR_RANGES, TempArgs, USUAL, several},
    sweep::args::DbArgs,
};

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
  kelvin runs export 3 --what rows -o run.parquet
  kelvin runs import run.parquet
  kelvin runs cite 3
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
    /// Show a run: its recipe, and a line for each chain
    Show {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        /// Show the first K texts of each prompt with each chain
        #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "1")]
        texts: Option<usize>,
    },
    /// Compare two runs: how their recipes differ, and which texts of common rows are equal
    Compare {
        /// One
        #[arg(value_name = "RUN")]
        a: String,
        /// The other
        #[arg(value_name = "RUN")]
        b: String,
    },
    /// Draw each token of a run again with other chains, from the logits that were recorded (sweep
    /// --record logits)
    #[command(mut_arg("temp", several(OR_RANGES, USUAL)))]
    Replay {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        #[command(flatten)]
        heat: TempArgs,
        /// A whole chain; {a,b} expands to a grid; may be repeated
        #[arg(long, value_name = "CHAIN", help_heading = "Sampling")]
        sampler: Vec<String>,
    },
    /// Remove runs with all their texts
    #[command(alias = "remove")]
    Rm {
        /// Which
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
        /// Don't ask for confirmation
        #[arg(short, long)]
        yes: bool,
    },
    /// Write a run's texts or tokens as a table
    Export {
        /// Which
        #[arg(value_name = "RUN")]
        run: String,
        /// The format of the table (default: by the name of --output; else csv, or jsonl with
        /// --json)
        #[arg(long, value_enum, value_name = "FORM")]
        format: Option<FormatName>,
        /// A row for each text, for each token, or for each recorded logit; or rows, all that is
        /// stored of each text, which import takes (Parquet)
        #[arg(long, value_enum, value_name = "WHAT", default_value_t = WhatName::Texts)]
        what: WhatName,
        /// A score of your own besides the recipe's, NAME=KIND, as a column of the texts; may be
        /// repeated (values of commands and judges are those that report has stored)
        #[arg(long, value_name = "NAME=KIND")]
        score: Vec<String>,
        /// The file (default: standard output)
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print how to cite runs: what their texts come from and how to make them again, and BibTeX
    Cite {
        /// Which
        #[arg(value_name = "RUN", default_value = "last")]
        runs: Vec<String>,
    },
    /// Take in the rows of a file or folder: what export --what rows has written
    Import {
        /// A file of rows, or a folder of such files with job.json
        #[arg(value_name = "PATH")]
        path: PathBuf,
    },
}

/// The format of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// Comma-separated values with a header line (RFC 4180)
    Csv,
    /// One JSON object per line
    Jsonl,
    /// Apache Parquet
    Parquet,
}

/// The rows of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhatName {
    /// A row for each text
    Texts,
    /// A row for each token
    Tokens,
    /// A row for each logit that was recorded (sweep --record logits), with its token
    Logits,
    /// One for each text, with all that is stored of it
    Rows,
}
