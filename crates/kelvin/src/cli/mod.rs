//! The verbs, each in a folder or a file. `args` is the command line, `shared` what several verbs
//! use.

pub(crate) mod args;
mod bench;
mod calibrate;
mod chat;
mod compare;
mod completions;
mod convert;
mod decide;
pub(crate) mod explore;
mod generate;
mod inspect;
mod man;
mod models;
mod next;
mod perplexity;
mod report;
mod runs;
mod score;
mod search;
mod serve;
pub(crate) mod shared;
mod softmax;
mod stages;
mod sweep;
mod tokenize;
mod translate;
mod tune;
mod verify;

use clap::CommandFactory;
use kelvin_kernels::isa::{self, Isa};

use args::{Args, Verb};
use shared::failure::usage;
pub use sweep::start_ray_with;

/// Runs a verb.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    Isa::forced()
        .map_err(|error| usage(format!("the environment variable {}: {error}", isa::FORCED)))?;
    match args.verb {
        Verb::Compare(args) => compare::run(&args),
        Verb::Generate(args) => generate::run(&args),
        Verb::Search(args) => search::run(&args),
        Verb::Chat(args) => chat::run(args),
        Verb::Next(args) => next::run(&args),
        Verb::Softmax(args) => softmax::run(&args),
        Verb::Stages(args) => stages::run(&args),
        Verb::Translate(args) => translate::run(&args),
        Verb::Models(args) => models::run(&args),
        Verb::Convert(args) => convert::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Tokenize(args) => tokenize::run(&args),
        Verb::Sweep(args) => sweep::run(&args),
        Verb::Runs(args) => runs::run(&args),
        Verb::Tune(args) => tune::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Decide(args) => decide::run(&args),
        Verb::Calibrate(args) => calibrate::run(&args),
        Verb::Perplexity(args) => perplexity::run(&args),
        Verb::Score(args) => score::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Studio(args) => serve::studio(&args),
        Verb::Completions(args) => completions::run(&args, Args::command()),
        Verb::Man(args) => man::run(&args, Args::command()),
    }
}
