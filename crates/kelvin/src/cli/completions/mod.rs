//! `completions`: prints a shell's completion script.

pub(super) mod args;

use crate::terminal;
use args::CompletionsArgs;

/// Prints the script for the shell. `command` is the whole command line.
pub(crate) fn run(args: &CompletionsArgs, mut command: clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "kelvin", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if args.output.json {
        return terminal::json::print(
            &serde_json::json!({ "shell": args.shell.to_string(), "script": script }),
        );
    }
    terminal::print(&script)
}
