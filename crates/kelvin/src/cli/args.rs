//! The command line as clap parses it. `options` interprets it.
//!
//! Temperatures and chains stay text here: `options` parses them and words their errors.

use clap::{Parser, Subcommand};

use super::{
    bench::args::BenchArgs,
    calibrate::args::CalibrateArgs,
    chat::args::ChatArgs,
    compare::args::CompareArgs,
    completions::args::CompletionsArgs,
    convert::ConvertArgs,
    decide::args::DecideArgs,
    generate::args::GenerateArgs,
    inspect::args::InspectArgs,
    man::ManArgs,
    models::args::ModelsArgs,
    next::args::NextArgs,
    perplexity::args::PerplexityArgs,
    report::args::ReportArgs,
    runs::args::RunsArgs,
    score::args::ScoreArgs,
    search::args::SearchArgs,
    serve::args::{ServeArgs, StudioArgs},
    shared::temp::{OR_RANGES, several},
    softmax::args::SoftmaxArgs,
    stages::StagesArgs,
    sweep::args::SweepVerbArgs,
    tokenize::TokenizeArgs,
    translate::TranslateArgs,
    tune::args::{self as tune, TuneArgs},
    verify::args::VerifyArgs,
};

const MAIN_EXAMPLES: &str = "\
The main job, one prompt at three temperatures:
  kelvin compare \"Write about Nepal\" -t 0.5,1,2

More to try:
  kelvin next \"The capital of Nepal is\" -t 1,5    what could come next, and how likely
  kelvin softmax 1 2 -t 1,2,5                     what temperature does to numbers
  kelvin chat                                     talk, and ask /why
  kelvin studio                                   the same in a browser, and a lesson for a class
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
    /// Find the likeliest continuations (beam search), or the best of many drawn ones
    Search(Box<SearchArgs>),
    /// Talk with a model, change its temperature, ask it why
    Chat(ChatArgs),
    /// Fill a table of prompts × chains × samples with texts, to be measured
    Sweep(Box<SweepVerbArgs>),
    /// List, show, compare, export and remove the tables that `sweep` filled
    Runs(RunsArgs),
    /// Find the best setting: the most diverse texts that stay fluent, or an objective of yours
    #[command(
        after_help = tune::EXAMPLES,
        mut_arg("temp", several(OR_RANGES, tune::USUAL)),
        mut_arg("samples", |flag| flag.help(tune::SAMPLES_HELP)),
    )]
    Tune(Box<TuneArgs>),
    /// Report on runs as one HTML file: every metric with its interval, figures, texts
    Report(Box<ReportArgs>),
    /// Make the texts of a reproduction file (--proof) again, and say where they differ
    Verify(VerifyArgs),
    /// Show what could come next, at several temperatures
    Next(NextArgs),
    /// Show what temperature does to logits that you type (no model needed)
    Softmax(SoftmaxArgs),
    /// List all stages and the profiles of other engines
    Stages(StagesArgs),
    /// Write a chain as another engine's settings, and list what that engine can't express
    Translate(TranslateArgs),
    /// List, fetch and remove models
    Models(ModelsArgs),
    /// Write a Hugging Face folder or a split model as one GGUF file
    Convert(ConvertArgs),
    /// Show what a model file holds
    Inspect(InspectArgs),
    /// Show how a text becomes tokens
    Tokenize(TokenizeArgs),
    /// Give the probabilities of a question's options, for one text or for many
    Decide(Box<DecideArgs>),
    /// Fit the temperature at which decisions are as often right as they are sure
    Calibrate(Box<CalibrateArgs>),
    /// Measure how likely a model finds a text
    Perplexity(PerplexityArgs),
    /// Show how likely one model, or two beside each other, finds each token of a text
    Score(ScoreArgs),
    /// Measure how fast a model runs here, compared with the machine's limits
    Bench(BenchArgs),
    /// Answer programs over HTTP as OpenAI's API does, and serve the studio, a web page
    Serve(ServeArgs),
    /// Open the studio in a browser (serve --open)
    Studio(StudioArgs),
    /// Print a completion script for your shell
    Completions(CompletionsArgs),
    /// Write the man pages, one for each verb, into a folder
    #[command(hide = true)]
    Man(ManArgs),
}
