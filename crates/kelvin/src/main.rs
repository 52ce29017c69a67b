//! The binary: parses the command line, runs one verb, and prints a failure as one sentence with an
//! exit code.
//!
//! `cli::args` is the parsed command line, `cli::shared::options` its interpretation.

mod cli;
mod interrupt;
mod remote;
mod terminal;

use std::{io::Write, process::ExitCode};

use clap::Parser;

fn main() -> ExitCode {
    // Forms are compiled in a process of their own first, which is this program again.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == kelvin_constraint::VERB) {
        return kelvin_constraint::run();
    }
    let args = match cli::args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return cli::shared::failure::report_typed(&error),
    };
    interrupt::install();
    let code = match cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::shared::failure::report(&error, &mut std::io::stderr().lock()),
    };
    // What is still buffered belongs to the answer; a reader that went away is no failure.
    let _ = std::io::stdout().flush();
    code
}
