//! The arguments of `report`.

use std::{fmt::Write, path::PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use kelvin_lab::{metrics::METRICS, report::USUAL_TEXTS};

use crate::cli::{shared::args::FetchArgs, sweep::args::DbArgs};

/// `report`.
#[derive(Debug, ClapArgs)]
#[command(after_help = examples())]
pub(crate) struct ReportArgs {
    /// A run's number, the first digits of its hash, or `last`; several runs are shown side by side
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) runs: Vec<String>,
    /// The file (default: kelvin-report-HASH.html here for HTML, else standard output)
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// What to write (default: by the name of --output, else html)
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) format: Option<ReportForm>,
    /// Print all figures as JSON for programs
    #[arg(long, conflicts_with_all = ["format", "output"], help_heading = "Output")]
    pub(crate) json: bool,
    /// Texts of each prompt with each chain that the report contains
    #[arg(long, value_name = "K", default_value_t = USUAL_TEXTS, help_heading = "Output")]
    pub(crate) texts: usize,
    /// Only these metrics, or all (default: those that the recipe names, or else all)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Comparison")]
    pub(crate) metrics: Vec<String>,
    /// A score of your own besides the recipe's, NAME=KIND (see below); may be repeated
    #[arg(long, value_name = "NAME=KIND", help_heading = "Comparison")]
    pub(crate) score: Vec<String>,
    /// The chain that the others are compared with (default: the one nearest to temp=1)
    #[arg(long, value_name = "CHAIN", help_heading = "Comparison")]
    pub(crate) against: Option<String>,
    /// The metric of quality on the plane (default: judge, or else surprisal)
    #[arg(long, value_name = "NAME", help_heading = "Comparison")]
    pub(crate) quality: Option<String>,
    /// The metric of diversity on the plane (default: vendi, or else distinct_2)
    #[arg(long, value_name = "NAME", help_heading = "Comparison")]
    pub(crate) diversity: Option<String>,
    /// The judge: a model that scores the texts it hasn't scored yet, or none (default: the
    /// recipe's judge, or none); scores are stored
    #[arg(long, value_name = "MODEL", help_heading = "Judge")]
    pub(crate) judge: Option<String>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// Number of threads (default: all cores); the figures don't depend on it
    #[arg(long, value_name = "N", help_heading = "Judge")]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// HTML: one file with figures and texts, which works offline
    Html,
    /// Markdown
    Md,
    /// Tables for a terminal
    Table,
}

fn examples() -> String {
    let mut text = String::from(
        "\
Examples:
  kelvin report                                     the last run: tables here, figures in an HTML \
  file
  kelvin report last --judge gemma3 -o nepal.html
  kelvin report 3 4 --format table --metrics surprisal,vendi,loops

Means stand with 95 % intervals over prompts and samples. Settings are compared pair by pair, \
since samples of one number share \
their dice, and what may be chance is `not shown`.

Scores of one's own are NAME=KIND, and then metrics:
  right=expected            the text is the answer in the prompt's field `expected`; expected(answer)
                            names another field
  nepal=contains:Nepal      it contains this; contains(answer): what the field says
  year=regex:(19|20)[0-9]+  the expression matches somewhere
  valid=json                the whole text is JSON
  card=schema:card.json     it is JSON that this JSON schema allows
  words=command:wc -w       the number that a command prints, which reads the text on standard input;
                            command(60) may take 60 seconds in place of 10
  vivid=judge:Is this vivid? {text}
                            how likely the judge (--judge) answers yes rather than no; judge(1,2,3)
                            takes the mean of other answers
  stars=csv:ratings.csv     the column stars of a file, whose rows name texts by prompt, chain and
                            sample, as runs export writes them; csv(COLUMN) names another
More is better, unless least stands before the kind: rude=least command:./rude

Metrics:
",
    );
    for metric in METRICS {
        let _ = writeln!(text, "  {:<17} {}", metric.name, metric.summary);
    }
    text.truncate(text.trim_end().len());
    text
}
