//! The command line as a function: parses arguments, runs one verb, and prints a failure as one
//! sentence with an exit code.
//!
//! The binary and the Python package's command call [`run`]. `cli::args` is the parsed command
//! line, `cli::shared::options` its interpretation. [`remote`] makes servers workers of the lab.

mod cli;
mod interrupt;
pub mod remote;
mod terminal;

use std::{ffi::OsString, io::Write};

use clap::{CommandFactory, Parser};
pub use cli::start_ray_with;

/// Runs one command to its end; the first argument is the program's name. Returns the exit code.
///
/// Ctrl-C is handled by the command from here on, since it is the whole of its process.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    // Forms are compiled in a process of their own first, which is this program again.
    if args.get(1).is_some_and(|verb| verb == kelvin_constraint::VERB) {
        return u8::from(kelvin_constraint::run().is_err());
    }
    // Bare on a terminal it is the explorer, in a pipe its help.
    let is_bare = args.len() == 1 && cli::explore::is_wanted();
    let args = match (!is_bare).then(|| cli::args::Args::try_parse_from(args)).transpose() {
        Ok(args) => args,
        Err(error) => {
            let all = cli::args::Args::command();
            return cli::shared::failure::report_typed(&error, &all);
        }
    };
    interrupt::install();
    let code = match args.map_or_else(cli::explore::run, cli::run) {
        Ok(()) => 0,
        Err(error) => cli::shared::failure::report(&error, &mut std::io::stderr().lock()),
    };
    // What is still buffered belongs to the answer; a reader that went away is no failure.
    let _ = std::io::stdout().flush();
    code
}
