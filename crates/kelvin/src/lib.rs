//! What the binary is made of, as a library that the binary and the fuzz targets link. It has no stable interface.
//!
//! What was typed (`cli::args`) becomes what it means (`cli::options`), one verb runs, and every
//! failure becomes one sentence on standard error and an exit code here.

mod cli;
mod constraint;
mod interrupt;
mod models;
mod remote;
mod server;
mod terminal;
#[doc(hidden)]
pub mod untrusted;
mod views;
mod web;

use std::{io::Write, process::ExitCode};

use clap::Parser;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let args = cli::args::Args::parse();
    interrupt::install();
    let code = match cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failure::report(&error, &mut std::io::stderr().lock()),
    };
    // What is still buffered belongs to the answer; a reader that went away is no failure.
    let _ = std::io::stdout().flush();
    code
}
