//! The verbs, one file each.

pub(crate) mod args;
mod bench;
mod bench_view;
mod chat;
mod compare;
mod compare_answer;
mod compare_plan;
mod compare_view;
mod completions;
pub(crate) mod failure;
mod form;
mod generate;
mod inspect;
mod man;
mod meaning;
mod memory;
mod models;
mod next;
mod number;
mod options;
mod perplexity;
pub(crate) mod prompt;
mod report;
mod report_args;
mod runs;
mod runs_view;
mod sampling_args;
mod serve;
mod serve_args;
mod session;
mod shared_args;
mod softmax;
mod stages;
mod sweep;
mod sweep_args;
mod sweep_plan;
mod sweep_view;
mod tokenize;
mod tool_args;
mod trace;
mod translate;
mod tune;
mod tune_args;
mod whole_file;
mod why;

use kelvin_kernels::isa::{self, Isa};

use args::{Args, Verb};
use failure::usage;

/// Runs the verb that was asked for.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    Isa::forced()
        .map_err(|error| usage(format!("the environment variable {}: {error}", isa::FORCED)))?;
    match args.verb {
        Verb::Compare(args) => compare::run(&args),
        Verb::Generate(args) => generate::run(&args),
        Verb::Chat(args) => chat::run(args),
        Verb::Next(args) => next::run(&args),
        Verb::Softmax(args) => softmax::run(&args),
        Verb::Stages(args) => stages::run(&args),
        Verb::Translate(args) => translate::run(&args),
        Verb::Models(args) => models::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Tokenize(args) => tokenize::run(&args),
        Verb::Sweep(args) => sweep::run(&args),
        Verb::Runs(args) => runs::run(&args),
        Verb::Tune(args) => tune::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Perplexity(args) => perplexity::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
    }
}
