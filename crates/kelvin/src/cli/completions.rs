//! `completions`: prints a shell's completion script.

use clap::CommandFactory;

use super::args::{Args, CompletionsArgs};
use crate::terminal;

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
