//! `runs`: lists, shows, compares, exports and removes the runs of a database.

pub(super) mod args;
pub(super) mod view;

use std::{
    io::{BufWriter, IsTerminal},
    path::Path,
};

use kelvin_lab::{
    Store,
    export::{ExportError, Format, What, export},
    recipe::Draft,
    replay::replay,
    store::RunId,
};

use kelvin_sampling::Chain;

use crate::{
    cli::{
        shared::{failure::usage, whole_file},
        sweep::{asked, place, view::counted},
    },
    terminal::{self, json, style::Style},
};
use args::{FormatName, RunsAction, RunsArgs, WhatName};

/// Runs the verb.
pub(crate) fn run(args: &RunsArgs) -> anyhow::Result<()> {
    let path = place(&args.db)?;
    match args.action.as_ref().unwrap_or(&RunsAction::List) {
        RunsAction::List if !path.exists() => list(&[], &path, args.json),
        RunsAction::List => list(&view::listed(&Store::open_to_read(&path)?)?, &path, args.json),
        RunsAction::Show { run, texts } => {
            let store = Store::open_to_read(&path)?;
            let shown = view::Shown::new(&store, store.find(run)?, texts.unwrap_or(0))?;
            if args.json {
                json::print(&shown)
            } else {
                terminal::print(&shown.words(Style::stdout()))
            }
        }
        RunsAction::Compare { a, b } => {
            let store = Store::open_to_read(&path)?;
            let compared = view::Compared::new(&store, store.find(a)?, store.find(b)?)?;
            if args.json {
                json::print(&compared)
            } else {
                terminal::print(&compared.words(Style::stdout()))
            }
        }
        RunsAction::Replay { run, temp, sampler } => {
            let store = Store::open_to_read(&path)?;
            let chains = chains(temp.clone(), sampler.clone())?;
            let rows = view::replayed(&replay(&store, store.find(run)?, &chains)?);
            if args.json {
                json::print(&rows)
            } else {
                terminal::print(&view::replay_lines(&rows, Style::stdout()))
            }
        }
        RunsAction::Rm { runs, yes } => {
            if !path.exists() {
                Store::open_to_read(&path)?;
            }
            remove(&mut Store::open(&path)?, runs, *yes, args.json)
        }
        RunsAction::Export { run, format, what, output } => {
            let store = Store::open_to_read(&path)?;
            let run = store.find(run)?;
            let what = match what {
                WhatName::Texts => What::Texts,
                WhatName::Tokens => What::Tokens,
            };
            let format = format_of(*format, output.as_deref(), args.json);
            write_table(&store, run, what, format, output.as_deref())
        }
    }
}

/// The chains that flags mean, read as a recipe's are.
fn chains(temp: Option<String>, sampler: Vec<String>) -> anyhow::Result<Vec<Chain>> {
    let draft = Draft { temp, sampler, prompts: vec![String::new()], ..Draft::default() };
    Ok(draft.resolve().map_err(|error| usage(error.to_string()))?.chains)
}

fn list(runs: &[view::ListedRow], path: &Path, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return json::print(&runs);
    }
    if runs.is_empty() {
        return terminal::print(&format!(
            "there are no runs yet in {}; kelvin sweep makes them\n",
            path.display()
        ));
    }
    terminal::print(&view::list_lines(runs, Style::stdout()))
}

fn remove(store: &mut Store, names: &[String], yes: bool, as_json: bool) -> anyhow::Result<()> {
    let runs = names.iter().map(|name| store.find(name)).collect::<Result<Vec<RunId>, _>>()?;
    let n_texts =
        runs.iter().map(|&run| Ok(store.show(run)?.n_done)).sum::<anyhow::Result<usize>>()?;
    if !yes && n_texts > 0 {
        let question = format!("{} with {}", counted(runs.len(), "run"), counted(n_texts, "text"));
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err(usage(format!("{question} would be removed for good: say --yes")));
        }
        asked(&format!("Remove {question} for good?"))?;
    }
    for &run in &runs {
        store.remove(run)?;
    }
    if as_json {
        json::print(&serde_json::json!({"removed": runs, "texts": n_texts}))
    } else {
        terminal::print(&format!(
            "removed {} with {}\n",
            counted(runs.len(), "run"),
            counted(n_texts, "text")
        ))
    }
}

/// The form that was asked for, or that the file's name says.
fn format_of(asked: Option<FormatName>, output: Option<&Path>, is_json: bool) -> Format {
    let extension = output.and_then(Path::extension).and_then(|extension| extension.to_str());
    match (asked, extension) {
        (Some(FormatName::Csv), _) => Format::Csv,
        (Some(FormatName::Jsonl), _) => Format::Jsonl,
        (Some(FormatName::Parquet), _) => Format::Parquet,
        (None, Some("parquet")) => Format::Parquet,
        (None, Some("jsonl" | "ndjson" | "json")) => Format::Jsonl,
        (None, None) if is_json => Format::Jsonl,
        (None, _) => Format::Csv,
    }
}

fn write_table(
    store: &Store,
    run: RunId,
    what: What,
    format: Format,
    output: Option<&Path>,
) -> anyhow::Result<()> {
    let Some(path) = output else {
        if format == Format::Parquet && std::io::stdout().is_terminal() {
            return Err(usage("Parquet isn't text for a terminal: name a file with -o"));
        }
        let mut out = BufWriter::new(std::io::stdout());
        return Ok(export(store, run, what, format, &mut out)?);
    };
    whole_file::write(path, |out| match export(store, run, what, format, out) {
        Err(ExportError::Io(error)) => Err(error.into()),
        other => Ok(other?),
    })
}
