//! `report`: shows runs as HTML, Markdown, tables or JSON. It runs the judge model if one is asked
//! for.

pub(super) mod args;

use std::{
    collections::{BTreeMap, HashSet},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use kelvin_lab::{
    Store,
    judge::judge,
    metrics::{self, Metric, Need},
    recipe::NOBODY,
    report::{self, Evidence, Options, Report, Table, markdown, tables},
    run::Source,
    store::{Listed, RunId},
};

use crate::{
    cli::{
        shared::{args::ModelArgs, failure::usage, meaning, session, whole_file},
        sweep::{self, place, view::named},
    },
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
        table::{self, Align},
        wrap,
    },
};
use args::{ReportArgs, ReportForm};

/// Runs the verb.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    session::check_threads(args.threads)?;
    let path = place(&args.db)?;
    let listed = {
        let store = Store::open_to_read(&path)?;
        let one = |name: &String| store.show(store.find(name)?);
        args.runs.iter().map(one).collect::<Result<Vec<Listed>, _>>()?
    };
    let options = options(args, &listed)?;
    let runs: Vec<RunId> = listed.iter().map(|run| run.id).collect();
    for (judge, runs) in to_judge(args, &listed, &options) {
        let judged = judge_runs(&mut Store::open(&path)?, &runs, &judge_args(args, judge));
        judged.with_context(|| match args.judge {
            Some(_) => format!("{judge} can't judge"),
            None => format!(
                "{judge}, which the recipe asks for, can't judge (--judge none goes without)"
            ),
        })?;
    }
    place_texts(args, &path, &listed, &options)?;
    let evidence = evidence(&Store::open_to_read(&path)?, &runs)?;
    let report = Report::new(&evidence, &options, command(args)).map_err(usage)?;
    if args.json {
        return json::print(&report);
    }
    write(&report, &by_name(args, &listed).collect(), args)
}

/// What the flag, or else the recipes, ask for; "all" is among it as it was written.
fn by_name<'a>(args: &'a ReportArgs, runs: &'a [Listed]) -> impl Iterator<Item = &'a str> {
    let lists =
        runs.iter().map(|run| &run.recipe.evaluation.metrics).filter(|_| args.metrics.is_empty());
    lists.chain([&args.metrics]).flatten().map(String::as_str)
}

/// Runs as reports take them.
pub(crate) fn evidence(store: &Store, runs: &[RunId]) -> anyhow::Result<Vec<Evidence>> {
    let one = |&run: &RunId| {
        let listed = store.show(run)?;
        Ok(Evidence { run: store.load(run)?, recipe: listed.recipe, version: listed.version })
    };
    runs.iter().map(one).collect()
}

/// What flags say, and where they are silent what the runs' recipes ask for.
fn options(args: &ReportArgs, runs: &[Listed]) -> anyhow::Result<Options> {
    let find = |name: &String| Metric::find(name).map_err(usage);
    let mut asked: Vec<&'static Metric> = Vec::new();
    let lists = match &args.metrics[..] {
        [] => runs.iter().map(|run| &run.recipe.evaluation.metrics[..]).collect(),
        names => vec![names],
    };
    for names in lists {
        asked.extend(metrics::named(names).map_err(usage)?);
    }
    let mut seen = HashSet::new();
    asked.retain(|metric| seen.insert(metric.name));
    Ok(Options {
        metrics: asked,
        against: args.against.clone(),
        quality: args.quality.as_ref().map(find).transpose()?,
        diversity: args.diversity.as_ref().map(find).transpose()?,
        texts: args.texts,
    })
}

/// Which judges are to read which runs: the one that the flag names all of them; without it each
/// recipe's own, if it hasn't read all texts yet and if something is to be shown that needs it.
fn to_judge<'a>(
    args: &'a ReportArgs,
    runs: &'a [Listed],
    options: &Options,
) -> BTreeMap<&'a str, Vec<RunId>> {
    let mut judges: BTreeMap<&str, Vec<RunId>> = BTreeMap::new();
    match args.judge.as_deref() {
        Some(NOBODY) => {}
        Some(judge) => drop(judges.insert(judge, runs.iter().map(|run| run.id).collect())),
        None => {
            let axes = options.quality.into_iter().chain(options.diversity);
            let is_shown =
                options.metrics.iter().copied().chain(axes).any(|m| m.needs == Need::Judge);
            for run in runs.iter().filter(|_| is_shown) {
                let Some(judge) = run.recipe.evaluation.judge() else { continue };
                let is_done = run.judge.as_ref().is_some_and(|source| named(source) == judge)
                    && run.n_judged == run.n_done;
                if !is_done {
                    judges.entry(judge).or_default().push(run.id);
                }
            }
        }
    }
    judges
}

/// Lets the model of meanings look at texts that are to be compared by them: if a metric that does
/// is asked for by name; if it's one of all, where that takes no download and harms nothing.
fn place_texts(
    args: &ReportArgs,
    path: &Path,
    runs: &[Listed],
    options: &Options,
) -> anyhow::Result<()> {
    let axes = options.quality.into_iter().chain(options.diversity);
    if runs.iter().all(meaning::is_done)
        || !meaning::is_needed(options.metrics.iter().copied().chain(axes.clone()))
    {
        return Ok(());
    }
    let names = by_name(args, runs).filter_map(|name| Metric::find(name).ok());
    let is_named = meaning::is_needed(names.chain(axes));
    if !is_named && !meaning::is_here() {
        return Ok(());
    }
    let runs: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    let may = args.fetch.permissions();
    let placed = Store::open(path)
        .map_err(anyhow::Error::from)
        .and_then(|mut store| meaning::place_texts(&mut store, &runs, may, args.threads));
    match placed {
        Err(error) if !is_named => {
            terminal::note(&format!("meanings weren't compared: {error:#}"));
            Ok(())
        }
        other => other,
    }
}

fn write(report: &Report, by_name: &HashSet<&str>, args: &ReportArgs) -> anyhow::Result<()> {
    let extension =
        |path: &PathBuf| path.extension().map(|extension| extension.to_ascii_lowercase());
    let by_extension = match args.output.as_ref().and_then(extension) {
        Some(extension) if extension == "md" => ReportForm::Md,
        Some(extension) if extension == "txt" => ReportForm::Table,
        _ => ReportForm::Html,
    };
    let style = if args.output.is_some() { Style::default() } else { Style::stdout() };
    let text = match args.format.unwrap_or(by_extension) {
        ReportForm::Md => markdown(report),
        ReportForm::Table => words(report, by_name, style),
        ReportForm::Html => {
            let name =
                || PathBuf::from(format!("kelvin-report-{}.html", &report.runs[0].hash[..8]));
            let path = args.output.clone().unwrap_or_else(name);
            save(&path, &report::html(report))?;
            terminal::print(&words(report, by_name, Style::stdout()))?;
            return terminal::print(&format!("\nfigures and texts: {}\n", path.display()));
        }
    };
    match &args.output {
        Some(path) => save(path, &text),
        None => terminal::print(&text),
    }
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    whole_file::write(path, |out| Ok(out.write_all(text.as_bytes())?))
}

/// The report at a glance.
fn words(report: &Report, by_name: &HashSet<&str>, style: Style) -> String {
    let mut out = String::new();
    let without = report.metrics.iter().filter(|metric| {
        by_name.contains(metric.name) && metric.values.iter().all(Option::is_none)
    });
    let without = without.flat_map(|metric| {
        metric.absent.iter().map(move |(why, _)| format!("{} has no value: {why}", metric.name))
    });
    let notes: Vec<String> = report.warnings.iter().cloned().chain(without).collect();
    for note in &notes {
        let note = format!("note: {note}");
        out += &(wrap::sentence(&note, 0, terminal::width(), str::to_string).join("\n") + "\n");
    }
    for (i, table) in tables(report).iter().enumerate() {
        if i > 0 || !notes.is_empty() {
            out.push('\n');
        }
        out += &lines(table, style);
    }
    let label = |i: usize| &*report.settings[i].label;
    if let Some(plane) = &report.plane {
        let names: Vec<&str> = plane.frontier.iter().map(|&i| label(i)).collect();
        let beaten = format!(
            "beaten by none at both {} and {}: {}",
            plane.quality,
            plane.diversity,
            names.join(" · ")
        );
        out += &format!(
            "\n{}\n",
            wrap::sentence(&beaten, 0, terminal::width(), str::to_string).join("\n")
        );
        if let Some(knee) = plane.knee {
            out += &format!("the knee of these: {}\n", label(knee));
        }
    }
    for one in &report.melting {
        if let Some(point) = one.point {
            let edge = if point.at_the_edge { "; the edge of what was tried" } else { "" };
            out += &format!(
                "{} melts at T = {:.2} ({:.2} … {:.2}{edge})\n",
                one.family, point.temperature, point.low, point.high
            );
        }
    }
    out
}

/// A table for a terminal.
pub(crate) fn lines(table: &Table, style: Style) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(&table.head).chain(&table.rows).cloned().collect();
    let align: Vec<Align> =
        (0..table.head.len()).map(|i| if i == 0 { Align::Left } else { Align::Right }).collect();
    let mut lines = table::dressed(&rows, &align, 2, style);
    if !table.note.is_empty() {
        lines.extend(wrap::sentence(&table.note, 2, terminal::width(), |line| style.dim(line)));
    }
    format!("{}\n{}\n", style.bold(&table.title), lines.join("\n"))
}

fn judge_args(args: &ReportArgs, name: &str) -> ModelArgs {
    ModelArgs::of(name, args.fetch, args.threads)
}

/// Lets a model say how likely it finds the texts of these runs that it hasn't judged yet.
pub(crate) fn judge_runs(
    store: &mut Store,
    runs: &[RunId],
    model: &ModelArgs,
) -> anyhow::Result<()> {
    let session = session::open(model)?;
    let source = Source::Local { model: session.file.model.clone(), sha256: session.sha256()? };
    for &run in runs {
        let (listed, loaded) = (store.show(run)?, store.load(run)?);
        let is_same = loaded.judge.as_ref() == Some(&source);
        let prompts = sweep::prompts(&session, &listed.recipe)?;
        let mut bar = LateBar::new(Counted::Prompts);
        for (i, prompt) in prompts.iter().enumerate() {
            bar.set(i as u64, prompts.len() as u64);
            let open: Vec<_> = loaded
                .samples
                .iter()
                .filter(|sample| sample.prompt == i && !(is_same && sample.judged.is_some()))
                .collect();
            let texts: Vec<&str> = open.iter().map(|sample| sample.text.as_str()).collect();
            let said = judge(&session.engine, prompt, &texts)
                .with_context(|| format!("prompt {}", i + 1))?;
            let judged: Vec<_> = open
                .iter()
                .zip(said)
                .map(|(sample, said)| (sample.prompt, sample.chain, sample.sample, said))
                .collect();
            store.judge(run, &source, &judged)?;
        }
        bar.set(prompts.len() as u64, prompts.len() as u64);
    }
    Ok(())
}

/// The command that makes this report again, from the runs' own commands.
fn command(args: &ReportArgs) -> String {
    let mut words = vec!["kelvin report".to_string()];
    words.extend(args.runs.iter().cloned());
    let mut say = |flag: &str, value: &str| words.push(format!("{flag} {}", report::quoted(value)));
    if !args.metrics.is_empty() {
        say("--metrics", &args.metrics.join(","));
    }
    let flags = [
        ("--against", &args.against),
        ("--quality", &args.quality),
        ("--diversity", &args.diversity),
        ("--judge", &args.judge),
    ];
    for (flag, value) in flags {
        if let Some(value) = value {
            say(flag, value);
        }
    }
    if args.texts != 4 {
        say("--texts", &args.texts.to_string());
    }
    words.join(" ")
}
