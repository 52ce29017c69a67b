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
    metrics::{self, Aspect, Metric, Need},
    recipe::NOBODY,
    report::{self, Evidence, Options, Report, Table, USUAL_TEXTS, markdown, tables},
    run::Source,
    scores::{Column, Kind, Score},
    scoring::{self, Judge},
    store::{Listed, RunId},
};

use kelvin_views::escape;

use crate::{
    cli::{
        shared::{
            args::ModelArgs,
            failure::usage,
            meaning,
            scores::{self, Bars},
            session, whole_file,
        },
        sweep::{
            self, place,
            view::{counted, named},
        },
    },
    interrupt::Guard,
    terminal::{
        self, json,
        late::Busy,
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
    let others = scores::read(&args.score)?;
    check_files(&listed, &others)?;
    let options = options(args, &listed, &others)?;
    let runs: Vec<RunId> = listed.iter().map(|run| run.id).collect();
    for (judge, runs) in to_judge(args, &path, &listed, &options, &others)? {
        let (mut store, guard) = (Store::open(&path)?, Guard::new());
        let judged = judge_runs(&mut store, &runs, &judge_args(args, judge), &others, &guard);
        judged.with_context(|| match args.judge {
            Some(_) => format!("{judge} can't judge"),
            None => {
                format!("{judge}, the recipe's judge, can't be used (--judge none leaves it out)")
            }
        })?;
    }
    run_commands(&path, &listed, &others)?;
    place_texts(args, &path, &listed, &options)?;
    let busy = Busy::new("computing figures and intervals");
    let store = Store::open_to_read(&path)?;
    let evidence = runs.iter().map(|&run| Evidence::load(&store, run, &others));
    let evidence = evidence.collect::<Result<Vec<_>, _>>()?;
    let report = Report::new(&evidence, &options, command(args)).map_err(usage)?;
    drop(busy);
    if args.json {
        return json::print(&report);
    }
    write(&report, &by_name(args, &listed).collect(), args)
}

/// The metrics that the flag names, or else the recipes. "all" stays one name.
fn by_name<'a>(args: &'a ReportArgs, runs: &'a [Listed]) -> impl Iterator<Item = &'a str> {
    let lists =
        runs.iter().map(|run| &run.recipe.evaluation.metrics).filter(|_| args.metrics.is_empty());
    lists.chain([&args.metrics]).flatten().map(String::as_str)
}

/// The options of the flags; for missing ones, those of the runs' recipes.
fn options(args: &ReportArgs, runs: &[Listed], others: &[Score]) -> anyhow::Result<Options> {
    let recipes: Vec<_> = runs.iter().map(|run| &run.recipe).collect();
    let own = report::own(&recipes, others).map_err(usage)?;
    let find = |name: &String| metrics::find(name, &own).map_err(usage);
    Ok(Options {
        against: args.against.clone(),
        quality: args.quality.as_ref().map(find).transpose()?,
        diversity: args.diversity.as_ref().map(find).transpose()?,
        texts: args.texts,
        ..Options::asking(&args.metrics, &recipes, others).map_err(usage)?
    })
}

/// The judges to run, each with its runs. `--judge` names one judge for all runs. Without it, a
/// recipe's own judge runs if a shown metric needs it and some texts have no score.
fn to_judge<'a>(
    args: &'a ReportArgs,
    path: &Path,
    runs: &'a [Listed],
    options: &Options,
    others: &[Score],
) -> anyhow::Result<BTreeMap<&'a str, Vec<RunId>>> {
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
                    && run.n_judged == run.n_done
                    && !is_unasked(path, run, others)?;
                if !is_done {
                    judges.entry(judge).or_default().push(run.id);
                }
            }
        }
    }
    Ok(judges)
}

/// Whether a judge is to be asked about some text of a run.
fn is_unasked(path: &Path, run: &Listed, others: &[Score]) -> anyhow::Result<bool> {
    let mut asked = report::with_others(&run.recipe.scores, others);
    asked.retain(Score::needs_judge);
    Ok(scoring::is_open(&Store::open_to_read(path)?, run.id, &asked)?)
}

/// Refuses files of scores that can't be read, before anything is computed.
fn check_files(runs: &[Listed], others: &[Score]) -> anyhow::Result<()> {
    for score in runs.iter().flat_map(|run| report::with_others(&run.recipe.scores, others)) {
        if let Kind::Csv { file, column } = &score.kind {
            Column::read(file, column).map_err(|why| usage(format!("{}: {why}", score.name)))?;
        }
    }
    Ok(())
}

/// Runs the commands of flags on the texts that have no value yet. A run's own commands are only
/// told: the run may come from somebody else, and to show it must not run a program.
fn run_commands(path: &Path, runs: &[Listed], others: &[Score]) -> anyhow::Result<()> {
    for run in runs {
        let mut commands = report::with_others(&run.recipe.scores, others);
        commands.retain(|score| score.is_stored() && !score.needs_judge());
        for score in commands {
            let score = std::slice::from_ref(&score);
            if !scoring::is_open(&Store::open_to_read(path)?, run.id, score)? {
                continue;
            }
            if others.contains(&score[0]) {
                scores::run_commands(&mut Store::open(path)?, run.id, score, &Guard::new())?;
            } else {
                terminal::note(&scores::not_run(&score[0], run.id));
            }
        }
    }
    Ok(())
}

/// Computes embeddings of the texts, if a metric needs them: always if the metric is named; if all
/// metrics are shown, only where that needs no download and errors don't matter.
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
            terminal::note(&format!("embeddings can't be computed: {error:#}"));
            Ok(())
        }
        other => other,
    }
}

fn write(report: &Report, by_name: &HashSet<&str>, args: &ReportArgs) -> anyhow::Result<()> {
    let extension =
        |path: &PathBuf| path.extension().map(|extension| extension.to_ascii_lowercase());
    let ending = args.output.as_ref().and_then(extension);
    let by_extension = match ending.as_ref().map(|ending| ending.to_string_lossy()).as_deref() {
        Some("md" | "markdown") => ReportForm::Md,
        Some("txt") => ReportForm::Table,
        None | Some("html" | "htm") => ReportForm::Html,
        Some(other) if args.format.is_none() => {
            return Err(usage(format!(
                "there is no report for names that end in .{other}: end it in .html, .md or .txt, \
                 or say --format"
            )));
        }
        Some(_) => ReportForm::Html,
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

/// The overview that is printed beside the file.
fn words(report: &Report, by_name: &HashSet<&str>, style: Style) -> String {
    let mut out = String::new();
    let without = report.metrics.iter().filter(|metric| {
        by_name.contains(metric.name)
            && !matches!(metric.aspect, Aspect::Wanted | Aspect::Unwanted)
            && metric.values.iter().all(Option::is_none)
    });
    let own =
        report.metrics.iter().filter(|m| matches!(m.aspect, Aspect::Wanted | Aspect::Unwanted));
    let own = own.flat_map(|metric| {
        metric.absent.iter().map(move |(why, n)| {
            let of = counted(*n, "text");
            escape::printable(&format!("{} has no value of {of}: {why}", metric.name))
        })
    });
    let without = without.flat_map(|metric| {
        metric.absent.iter().map(move |(why, _)| format!("{} has no value: {why}", metric.name))
    });
    let advice = report.advice.iter().map(|advice| advice.sentences.join(" "));
    let ceilings = report.ceiling.iter().map(|ceiling| format!("note: metrics {ceiling}"));
    let notes = report
        .warnings
        .iter()
        .cloned()
        .chain(without)
        .chain(own)
        .map(|note| format!("note: {note}"));
    let first: Vec<String> = advice.chain(ceilings).chain(notes).collect();
    for sentence in &first {
        let lines = wrap::sentence(sentence, 0, terminal::width(), str::to_string);
        out += &(lines.join("\n") + "\n");
    }
    for (i, table) in tables(report).iter().enumerate() {
        if i > 0 || !first.is_empty() {
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
            out += &if plane.is_knee_beaten() {
                let why = "what beats it at both misses what was asked";
                format!("the knee: {}; {why}\n", label(knee))
            } else {
                format!("the knee of these: {}\n", label(knee))
            };
        }
    }
    for one in &report.melting {
        for (point, verb) in [(one.point, "melts"), (one.turning, "turns (TURN)")] {
            let Some(point) = point else { continue };
            let edge = if point.at_the_edge { "; the edge of what was tried" } else { "" };
            out += &format!(
                "{} {verb} at T = {:.2} ({:.2} … {:.2}{edge}){}\n",
                one.family,
                point.temperature,
                point.low,
                point.high,
                point.between_words()
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

/// Scores the texts of these runs that the judge hasn't scored yet, and asks it what their scores
/// and others ask.
pub(crate) fn judge_runs(
    store: &mut Store,
    runs: &[RunId],
    model: &ModelArgs,
    others: &[Score],
    guard: &Guard,
) -> anyhow::Result<()> {
    let session = session::open(model)?;
    let source = Source::Local { model: session.file.model.clone(), sha256: session.sha256()? };
    let judge = Judge { engine: &session.engine, source: &source };
    for &run in runs {
        let recipe = store.show(run)?.recipe;
        let prompts = sweep::prompts(&session, &recipe)?;
        let mut bars = Bars::new(guard);
        let read = scoring::judge_texts(store, run, judge, &prompts, &mut bars);
        scores::ended(read.map_err(scores::explained)?)?;
        let asked = report::with_others(&recipe.scores, others);
        let answered = scoring::ask_judge(store, run, &asked, judge, &mut bars);
        scores::ended(answered.map_err(scores::explained)?)?;
    }
    Ok(())
}

/// The command that makes this report again, after the runs' own commands.
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
    for score in &args.score {
        say("--score", score);
    }
    if args.texts != USUAL_TEXTS {
        say("--texts", &args.texts.to_string());
    }
    words.join(" ")
}
