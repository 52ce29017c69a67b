//! `tune`: searches for the best setting, and prints it for Kelvin and for other engines.

pub(super) mod args;

use std::ops::ControlFlow;

use anyhow::Context;
use kelvin_engine::source;
use kelvin_lab::{
    Column, Recipe, Store,
    recipe::{Draft, Origin},
    report::{Evidence, Table, Value},
    run::{Sample, Source},
    scores::{Score, metrics_of},
    store::RunId,
    sweep::Progress,
    tune::{Beside, Found, Objective, Round, Search, SearchError, Watcher, beside, with_defaults},
    worker::Worker,
};
use kelvin_sampling::Profile;
use kelvin_views::{
    escape, recommended,
    translation::{Translation, translate},
};
use serde::Serialize;

use crate::{
    cli::{
        report::{judge_runs, lines},
        shared::{
            args::{ModelArgs, NamedModelArgs},
            failure::{Interrupted, usage},
            meaning, scores, session,
        },
        sweep as sweeping,
        sweep::view::counted,
    },
    interrupt::Guard,
    remote,
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
    },
};
use args::TuneArgs;

/// The result of a search.
#[derive(Debug, Serialize)]
struct TuneOutput {
    objective: String,
    source: Source,
    #[serde(flatten)]
    found: Found,
    /// What other ways choose among the settings of the first round.
    beside: Vec<Beside>,
    /// The winner as other engines' settings.
    translations: Vec<Translation>,
}

/// Runs the verb.
pub(crate) fn run(args: &TuneArgs) -> anyhow::Result<()> {
    let draft = sweeping::draft(&args.sweep)?;
    let own = metrics_of(&draft.scores).map_err(usage)?;
    let objective = Objective::read(&args.objective, &own)
        .map_err(|error| usage(format!("--objective: {error}")))?;
    let (first, recommended) = recipe(args, draft, &objective)?;
    let search = Search {
        objective: &objective,
        first: &first,
        finalists: args.finalists,
        version: env!("CARGO_PKG_VERSION"),
    };
    search.check().map_err(|problem| usage(format!("--objective: {problem}")))?;
    if args.sweep.plan {
        return show_plan(&search.rounds(), &first, args.sweep.json);
    }
    let judge = first.evaluation.judge().filter(|_| search.needs_judge());
    if search.needs_judge() && judge.is_none() {
        return Err(usage("the objective asks for a judge's opinion: name one with --judge"));
    }
    if meaning::is_needed(objective.metrics()) {
        let may = args.sweep.fetch.permissions();
        meaning::make_ready(may)?;
    }
    let path = sweeping::place(&args.sweep.db)?;
    let mut store = Store::open(&path)?;
    sweeping::with_worker(&args.sweep, &first, None, |worker, _| {
        play(args, &search, (judge, recommended.as_ref()), &mut store, worker)
    })
}

/// Runs all rounds and prints the result.
fn play(
    args: &TuneArgs,
    search: &Search<'_>,
    (judge, recommended): (Option<&str>, Option<&Column>),
    store: &mut Store,
    worker: &mut dyn Worker,
) -> anyhow::Result<()> {
    let guard = Guard::new();
    let objective = search.objective;
    let places = meaning::is_needed(objective.metrics());
    let mut asked = search.first.scores.clone();
    asked.retain(|score| objective.names(&score.name));
    let mut watcher = SearchProgress {
        args,
        judge,
        places,
        scores: &asked,
        guard: &guard,
        bar: None,
        done: 0,
        all: 0,
    };
    let found = search.play::<anyhow::Error>(store, worker, &mut watcher);
    drop(watcher);
    let found = found.map_err(|error| match error {
        SearchError::Unmeasured { .. } => usage(format!("--objective: {error}")),
        SearchError::Store(error) => error.into(),
        SearchError::Sweep(error) => error.into(),
        SearchError::Watcher(error) => error,
    })?;
    let Some(found) = found else {
        terminal::note("stopped; run the same command again to continue");
        return Err(Interrupted.into());
    };
    // Our own notation is the chain itself.
    let others = Profile::all().filter(|profile| profile.name() != "kelvin");
    // No other engine has a temperature of texts.
    let chain = found.winner.chain();
    let translations = chain.map(|chain| {
        others.map(|profile| translate(chain, profile)).collect::<Result<Vec<_>, _>>()
    });
    let translations = translations.transpose()?.unwrap_or_default();
    let source = worker.source().clone();
    let first = Evidence::load(store, found.rounds[0].run, &asked)?;
    let beside = beside(first, objective, recommended).map_err(anyhow::Error::msg)?;
    let answer =
        TuneOutput { objective: objective.to_string(), source, found, beside, translations };
    if args.sweep.json {
        json::print(&answer)
    } else {
        terminal::print(&words(&answer, objective, Style::stdout()))
    }
}

/// The recipe of the flags, with this verb's defaults, and which of its chains the model file
/// recommends.
fn recipe(
    args: &TuneArgs,
    draft: Draft,
    objective: &Objective,
) -> anyhow::Result<(Recipe, Option<Column>)> {
    let (draft, takes_usual) = with_defaults(draft, objective);
    let mut recipe = draft.resolve().map_err(|error| usage(error.to_string()))?;
    sweeping::check_judge(&recipe)?;
    if takes_usual && let Origin::Server { speaks, .. } = &recipe.origin {
        // Only the defaults that the server has parameters for.
        recipe.chains.retain(|chain| remote::can_ask(chain, speaks.as_deref()));
    }
    let mut recommended = None;
    if takes_usual && let Origin::Model(model) = &recipe.origin {
        recommended = add_recommended(args, &model.clone(), &mut recipe.chains)?;
    }
    Ok((recipe, recommended))
}

/// Adds the chain that the model file recommends, and returns it. A plan fetches no model for it.
fn add_recommended(
    args: &TuneArgs,
    model: &str,
    chains: &mut Vec<Column>,
) -> anyhow::Result<Option<Column>> {
    let mut fetch = args.sweep.fetch;
    fetch.offline |= args.sweep.plan;
    let located = session::locate(&NamedModelArgs { model: model.to_string(), fetch });
    let path = match located {
        Ok((_, path)) => path,
        Err(_) if args.sweep.plan => return Ok(None),
        Err(error) => return Err(error),
    };
    let gguf =
        source::open(&path, None).with_context(|| format!("can't use {}", path.display()))?;
    let Some(chain) = recommended::chain(&gguf.metadata) else { return Ok(None) };
    let column = Column::from(chain);
    if !chains.contains(&column) {
        terminal::note(&format!(
            "Among the candidates: {column}, which the model file recommends."
        ));
        chains.push(column.clone());
    }
    Ok(Some(column))
}

/// A bar for the texts of all rounds; between rounds the judge reads them.
struct SearchProgress<'a> {
    args: &'a TuneArgs,
    judge: Option<&'a str>,
    /// Whether the objective compares meanings.
    places: bool,
    /// The objective's own scores.
    scores: &'a [Score],
    guard: &'a Guard,
    /// There while texts are written.
    bar: Option<LateBar>,
    done: u64,
    all: u64,
}

impl SearchProgress<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Progress for SearchProgress<'_> {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
        // Long texts take their time: what is told in a pipe isn't only told when one is done.
        if let Some(bar) = &mut self.bar {
            bar.set(self.done, self.all);
        }
        self.go_on()
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            bar.note(&escape::printable(&format!("note: {why}")));
        }
        self.go_on()
    }

    fn stored(&mut self, _: &Sample) -> ControlFlow<()> {
        self.done += 1;
        if let Some(bar) = &mut self.bar {
            bar.set(self.done, self.all);
        }
        self.go_on()
    }
}

impl Watcher<anyhow::Error> for SearchProgress<'_> {
    fn round(&mut self, done: usize, all: usize) {
        (self.done, self.all) = (done as u64, all as u64);
        self.bar.insert(LateBar::new(Counted::Texts)).set(self.done, self.all);
    }

    fn filled(&mut self, store: &mut Store, run: RunId) -> anyhow::Result<()> {
        self.bar = None;
        if let Some(judge) = self.judge {
            judge_runs(store, &[run], &judge_args(self.args, judge), &[], self.guard)?;
        }
        scores::run_commands(store, run, self.scores, self.guard)?;
        if self.places {
            let sweep = &self.args.sweep;
            meaning::place_texts(store, &[run], sweep.fetch.permissions(), sweep.threads)?;
        }
        Ok(())
    }
}

fn judge_args(args: &TuneArgs, judge: &str) -> ModelArgs {
    ModelArgs::of(judge, args.sweep.fetch, args.sweep.threads)
}

fn show_plan(plan: &[Round], first: &Recipe, as_json: bool) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Planned {
        settings: usize,
        samples: usize,
        texts: usize,
        tokens_at_most: usize,
        only_reports: bool,
    }
    let rounds: Vec<Planned> = plan
        .iter()
        .map(|round| {
            let texts = round.settings * round.samples * first.prompts.len();
            let tokens_at_most = texts * first.length.max_tokens;
            Planned {
                settings: round.settings,
                samples: round.samples,
                texts,
                tokens_at_most,
                only_reports: round.is_last,
            }
        })
        .collect();
    if as_json {
        return json::print(&rounds);
    }
    let rows = rounds.iter().enumerate().map(|(i, round)| {
        let name = if round.only_reports { "last".to_string() } else { (i + 1).to_string() };
        let numbers = [round.settings, round.samples, round.texts, round.tokens_at_most];
        std::iter::once(name).chain(numbers.map(|n| n.to_string())).collect()
    });
    let table = Table {
        title: "Rounds".into(),
        note: "samples are for each prompt with each setting; the last round only reports".into(),
        head: ["round", "settings", "samples", "texts", "tokens at most"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
    };
    terminal::print(&lines(&table, Style::stdout()))
}

/// What other ways choose, for people.
fn other_ways(answer: &TuneOutput, objective: &Objective, style: Style) -> String {
    if answer.beside.is_empty() {
        return String::new();
    }
    let cells = |one: &Beside| {
        let t = one.temperature.map_or("-".to_string(), |t| format!("{t:.2}"));
        let range = match (one.low, one.high) {
            (Some(low), Some(high)) => format!("{low:.2} … {high:.2}"),
            _ => "-".to_string(),
        };
        let edge = if one.at_the_edge { " at the edge" } else { "" };
        vec![
            one.by.to_string(),
            one.setting.clone(),
            format!("{t}{edge}"),
            range,
            shown(&one.value),
        ]
    };
    let head = ["by", "setting", "T", "95 % interval", objective.metric.title];
    let table = Table {
        title: "Other ways to choose".into(),
        note: "of the first round's texts: turn: where entropy begins to rise faster than \
               exponentially (TURN), which not every curve does; melting point: the largest heat \
               capacity; knee: the most diverse that loses little fluency; maker: what the model \
               file recommends; T may lie between settings, then the nearest is named"
            .into(),
        head: head.map(String::from).to_vec(),
        rows: answer.beside.iter().map(cells).collect(),
    };
    format!("\n{}", lines(&table, style))
}

/// A value with its interval.
fn shown(value: &Option<Value>) -> String {
    match value {
        Some(Value { mean, low: Some(low), high: Some(high), .. }) => {
            format!("{mean:.3} ({low:.3} … {high:.3})")
        }
        Some(value) => format!("{:.3}", value.mean),
        None => "-".to_string(),
    }
}

fn words(answer: &TuneOutput, objective: &Objective, style: Style) -> String {
    let mut head = vec!["setting".to_string(), objective.metric.title.to_string()];
    head.extend(answer.found.finalists[0].bounds.iter().map(|held| held.bound.clone()));
    head.push("verdict".into());
    let rows = answer.found.finalists.iter().map(|row| {
        let mut cells = vec![row.chain.clone(), shown(&row.value)];
        cells.extend(row.bounds.iter().map(|held| {
            let kept = if held.shown {
                "holds"
            } else if held.holds {
                "holds, not shown"
            } else {
                "missed"
            };
            format!("{} {kept}", shown(&held.value))
        }));
        cells.push(row.verdict.to_string());
        cells
    });
    let budget: Vec<String> = answer
        .found
        .rounds
        .iter()
        .map(|round| {
            let [settings, prompts, samples] = [
                counted(round.settings, "setting"),
                counted(round.prompts, "prompt"),
                counted(round.samples, "sample"),
            ];
            format!("{settings} × {prompts} × {samples}")
        })
        .collect();
    let table = Table {
        title: format!("{}: {}", answer.objective, answer.found.finalists[0].chain),
        note: format!(
            "95 % intervals of the last round's own dice; rounds: {}",
            budget.join(" → ")
        ),
        head,
        rows: rows.collect(),
    };
    let mut out = lines(&table, style);
    out += &other_ways(answer, objective, style);
    if answer.translations.is_empty() {
        return out + "\nNo other engine has a temperature of texts.\n";
    }
    out += &format!("\n{}\n", style.bold("For other engines"));
    for translation in &answer.translations {
        let settings = serde_json::Value::Object(translation.settings.clone());
        out += &format!("  {:<17} {settings}\n", translation.to);
        for missing in &translation.missing {
            out += &format!("  {:<17} can't: {missing}\n", "");
        }
    }
    out
}
