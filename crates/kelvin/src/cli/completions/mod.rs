//! `completions`: prints a shell's completion script.

pub(super) mod args;

use clap::CommandFactory;

use crate::{cli::args::Args, terminal};
use args::CompletionsArgs;

/// Prints the script for the shell.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "kelvin", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if args.output.json {
        return terminal::json::print(
            &serde_json::json!({ "shell": args.shell.to_string(), "script": script }),
        );
    }
    terminal::print(&script)
}
