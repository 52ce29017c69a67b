//! Verbs in, text on a terminal or JSON for programs out: one file for each verb.

pub(crate) mod args;
mod completions;
pub(crate) mod failure;
mod models;
mod options;
mod softmax;

use args::{Args, Verb};

/// Runs the verb that was asked for.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Softmax(args) => softmax::run(&args),
        Verb::Models(args) => models::run(&args),
        Verb::Completions(args) => completions::run(&args),
        _ => todo!(),
    }
}
