//! `sweep --ray`: hands the recipe to the Python package, which has a Ray cluster make the texts.
//!
//! The package runs as a child process: JSON in, a progress bar on standard error, a line of JSON
//! out. It stores the texts in the database that `sweep` would fill here.

use std::{
    ffi::OsString,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
    time::Instant,
};

use anyhow::Context;
use kelvin_lab::{Recipe, Store, rows::Job, sweep::SweepResult};
use serde::{Deserialize, Serialize};

use super::{args::SweepVerbArgs, view};
use crate::{
    cli::shared::{
        failure::{Interrupted, usage},
        scores,
    },
    interrupt,
};

/// The program and arguments that start the Python package's side.
static PROGRAM: OnceLock<Vec<OsString>> = OnceLock::new();

/// Names the command that makes a sweep on a Ray cluster: the program and its arguments. Only the
/// Python package has one. The first call counts.
pub fn start_ray_with(command: Vec<OsString>) {
    let _ = PROGRAM.set(command);
}

/// What the package is asked for.
#[derive(Debug, Serialize)]
struct Asked<'a> {
    job: String,
    address: &'a str,
    out: Option<&'a str>,
    db: &'a Path,
    workers: Option<usize>,
    threads: Option<usize>,
    width: usize,
    offline: bool,
    accept_terms: bool,
    progress: bool,
}

/// What it answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed {
        error: String,
    },
    Swept {
        run: i64,
        n_rows: usize,
        n_new: usize,
        n_tokens: usize,
        n_errors: usize,
        first_error: Option<String>,
        missing: usize,
    },
}

/// Makes the texts of a recipe on the cluster at `address`.
pub(super) fn run(
    args: &SweepVerbArgs,
    address: &str,
    recipe: &Recipe,
    db: &Path,
) -> anyhow::Result<()> {
    let job = Job::of_unknown_file(recipe.clone()).map_err(|error| usage(error.to_string()))?;
    let asked = Asked {
        job: job.to_json(),
        address,
        out: args.ray.ray_out.as_deref(),
        db: &std::path::absolute(db)?,
        workers: args.ray.ray_workers,
        threads: args.sweep.threads,
        width: args.sweep.width,
        offline: args.sweep.fetch.offline,
        accept_terms: args.sweep.fetch.accept_terms,
        progress: !args.sweep.json,
    };
    let begun = Instant::now();
    match ask(&asked)? {
        Answer::Failed { error } => Err(anyhow::anyhow!(error)),
        Answer::Swept { run, n_rows, n_new, n_tokens, n_errors, first_error, missing } => {
            let swept = SweepResult {
                n_before: n_rows.saturating_sub(n_new + missing),
                n_new: n_new.saturating_sub(n_errors),
                n_missing: missing,
                n_tokens,
                elapsed_secs: begun.elapsed().as_secs_f64(),
            };
            view::end(run, &swept, args.sweep.json)?;
            match first_error {
                // The commands of scores run here, over the texts that came back.
                None => {
                    let mut store = Store::open(db)?;
                    scores::run_commands(&mut store, run, &recipe.scores, &interrupt::Guard::new())
                }
                Some(first) => Err(anyhow::anyhow!(
                    "{} without a text; the first: {first}",
                    view::counted(n_errors, "row")
                )),
            }
        }
    }
}

/// Runs the package to its end. Ctrl-C reaches it as well, and ends it in an orderly way.
fn ask(asked: &Asked<'_>) -> anyhow::Result<Answer> {
    let Some([program, given @ ..]) = PROGRAM.get().map(Vec::as_slice) else {
        return Err(usage(
            "--ray is for the command of the Python package, which this binary isn't: see \
             docs/src/guides/ray.md",
        ));
    };
    let guard = interrupt::Guard::new();
    let mut child = Command::new(program)
        .args(given)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", program.display()))?;
    let mut input = child.stdin.take().context("the Python package has no standard input")?;
    // If it ended before it read all, its answer tells why.
    let _ = serde_json::to_writer(&mut input, asked).map(|()| input.flush());
    drop(input);
    let output = child.wait_with_output()?;
    if guard.requested() || output.status.code() == Some(i32::from(interrupt::EXIT_CODE)) {
        return Err(Interrupted.into());
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the Python package gave no answer ({})", output.status))
}
