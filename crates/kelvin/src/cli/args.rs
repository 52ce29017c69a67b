//! The command line as clap parses it. `options` interprets it.
//!
//! Temperatures and chains stay text here, so that their errors are Kelvin's own sentences.

use clap::{Parser, Subcommand};

use super::{
    bench::args::BenchArgs,
    chat::args::ChatArgs,
    compare::args::CompareArgs,
    completions::args::CompletionsArgs,
    convert::ConvertArgs,
    generate::args::GenerateArgs,
    inspect::args::InspectArgs,
    man::ManArgs,
    models::args::ModelsArgs,
    next::args::NextArgs,
    perplexity::args::PerplexityArgs,
    report::args::ReportArgs,
    runs::args::RunsArgs,
    serve::args::ServeArgs,
    softmax::args::SoftmaxArgs,
    stages::StagesArgs,
    sweep::args::SweepArgs,
    tokenize::TokenizeArgs,
    translate::TranslateArgs,
    tune::args::{self as tune, TuneArgs},
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
        after_help = tune::EXAMPLES,
        mut_arg("temp", |flag| flag.help(tune::TEMP)),
        mut_arg("samples", |flag| flag.help(tune::SAMPLES_HELP)),
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
    /// Write a Hugging Face folder or a split model as one GGUF file
    Convert(ConvertArgs),
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
