//! `runs`: lists, shows, compares, exports, imports and removes the runs of a database.

pub(super) mod args;
mod cite;
pub(super) mod view;

use std::{
    io::{BufWriter, IsTerminal},
    path::Path,
};

use kelvin_lab::{
    Column, Store,
    export::{ExportError, Format, What, export},
    recipe::Draft,
    replay::replay,
    rows::{self, Imported},
    scores::Score,
    store::RunId,
};

use kelvin_sampling::Chain;

use crate::{
    cli::{
        shared::{failure::usage, scores, whole_file},
        sweep::{asked, place, view::counted},
    },
    terminal::{self, json, late::Busy, style::Style},
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
        RunsAction::Replay { run, heat, sampler } => {
            let store = Store::open_to_read(&path)?;
            let chains = chains(heat.temp.clone(), sampler.clone())?;
            let busy = Busy::new("drawing again");
            let rows = view::replayed(&replay(&store, store.find(run)?, &chains)?);
            drop(busy);
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
        RunsAction::Export { run, format, what, score, output } => {
            let others = scores::read(score)?;
            let store = Store::open_to_read(&path)?;
            let run = store.find(run)?;
            let _busy = Busy::new("writing the table");
            let what = match what {
                WhatName::Texts => What::Texts,
                WhatName::Tokens => What::Tokens,
                WhatName::Logits => What::Logits,
                WhatName::Rows => return write_rows(&store, run, *format, output.as_deref()),
            };
            let format = format_of(*format, output.as_deref(), args.json)?;
            write_table(&store, run, (what, &others), format, output.as_deref())
        }
        RunsAction::Cite { runs } => {
            let store = Store::open_to_read(&path)?;
            let listed = runs.iter().map(|name| store.show(store.find(name)?));
            let listed = listed.collect::<Result<Vec<_>, _>>()?;
            let cited: Vec<cite::Cited> = listed.iter().map(cite::Cited::from).collect();
            if args.json { json::print(&cited) } else { terminal::print(&cite::words(&cited)) }
        }
        RunsAction::Import { path: rows } => {
            let _busy = Busy::new("taking in rows");
            let imported = rows::import(&mut Store::open(&path)?, rows, env!("CARGO_PKG_VERSION"));
            tell_imported(&imported?, args.json)
        }
    }
}

/// The chains of the flags, parsed as a recipe's are.
fn chains(temp: Option<String>, sampler: Vec<String>) -> anyhow::Result<Vec<Chain>> {
    let draft = Draft { temp, sampler, prompts: vec![String::new()], ..Draft::default() };
    let recipe = draft.resolve().map_err(|error| usage(error.to_string()))?;
    let chain = |column: &Column| {
        let chain = column.chain().cloned();
        chain.ok_or_else(|| {
            usage(format!("`{column}` draws whole texts, which logits can't replay"))
        })
    };
    recipe.chains.iter().map(chain).collect()
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

/// The requested format, or that of the file's extension.
fn format_of(
    asked: Option<FormatName>,
    output: Option<&Path>,
    is_json: bool,
) -> anyhow::Result<Format> {
    let extension = output.and_then(Path::extension).and_then(|extension| extension.to_str());
    let ending = extension.map(str::to_ascii_lowercase);
    Ok(match (asked, ending.as_deref()) {
        (Some(FormatName::Csv), _) => Format::Csv,
        (Some(FormatName::Jsonl), _) => Format::Jsonl,
        (Some(FormatName::Parquet), _) => Format::Parquet,
        (None, Some("parquet")) => Format::Parquet,
        (None, Some("jsonl" | "ndjson" | "json")) => Format::Jsonl,
        (None, None) if is_json => Format::Jsonl,
        (None, None | Some("csv")) => Format::Csv,
        (None, Some(other)) => {
            return Err(usage(format!(
                "there is no format for names that end in .{other}: end it in .csv, .jsonl or \
                 .parquet, or say --format"
            )));
        }
    })
}

/// A run's rows, as `import` takes them.
fn write_rows(
    store: &Store,
    run: RunId,
    format: Option<FormatName>,
    output: Option<&Path>,
) -> anyhow::Result<()> {
    if format.is_some_and(|format| format != FormatName::Parquet) {
        return Err(usage("--what rows is written as Parquet: leave out --format"));
    }
    let Some(path) = output else {
        return Err(usage("--what rows is Parquet, which isn't text: name a file with -o"));
    };
    whole_file::write(path, |out| Ok(rows::export(store, run, out).map(drop)?))
}

/// What came of an import. Rows without a text are a failure, told after the others are stored.
fn tell_imported(imported: &Imported, as_json: bool) -> anyhow::Result<()> {
    let Imported { run, n_new, n_known, n_missing, n_errors, first_error } = imported;
    if as_json {
        json::print(&serde_json::json!({
            "run": run, "new": n_new, "known": n_known, "missing": n_missing, "errors": n_errors
        }))?;
    } else {
        let missing = match n_missing {
            0 => String::new(),
            n => format!("; {} missing, which kelvin sweep makes", counted(*n, "text")),
        };
        terminal::print(&format!(
            "{} added to run {run}, {n_known} were there{missing}\nsee kelvin runs show {run}\n",
            counted(*n_new, "text")
        ))?;
    }
    match first_error {
        None => Ok(()),
        Some(first) => {
            Err(anyhow::anyhow!("{} without a text; the first: {first}", counted(*n_errors, "row")))
        }
    }
}

fn write_table(
    store: &Store,
    run: RunId,
    (what, others): (What, &[Score]),
    format: Format,
    output: Option<&Path>,
) -> anyhow::Result<()> {
    let Some(path) = output else {
        if format == Format::Parquet && std::io::stdout().is_terminal() {
            return Err(usage("Parquet isn't text for a terminal: name a file with -o"));
        }
        let mut out = BufWriter::new(std::io::stdout());
        return Ok(export(store, run, what, others, format, &mut out)?);
    };
    whole_file::write(path, |out| match export(store, run, what, others, format, out) {
        Err(ExportError::Io(error)) => Err(error.into()),
        other => Ok(other?),
    })
}
