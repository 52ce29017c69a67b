//! What the binary is made of, as a library that the binary and the fuzz targets link. It has no
//! stable interface.
//!
//! What was typed (`cli::args`) becomes what it means (`cli::options`), one verb runs, and every
//! failure becomes one sentence on standard error and an exit code here.

mod cli;
mod constraint;
mod day;
mod interrupt;
mod models;
mod remote;
mod server;
mod shorten;
mod terminal;
#[doc(hidden)]
pub mod untrusted;
mod views;
mod web;

use std::{io::Write, process::ExitCode};

use clap::Parser;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    // Forms are compiled in a process of their own first, which is this program again.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == constraint::VERB) {
        return constraint::run();
    }
    let args = match cli::args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return cli::failure::report_typed(&error),
    };
    interrupt::install();
    let code = match cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failure::report(&error, &mut std::io::stderr().lock()),
    };
    // What is still buffered belongs to the answer; a reader that went away is no failure.
    let _ = std::io::stdout().flush();
    code
}

/// The description of the API that `/openapi.json` answers, for the book's reference.
#[doc(hidden)]
pub fn openapi() -> serde_json::Value {
    server::api_document()
}
