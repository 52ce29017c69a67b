//! `tune`: searches for the best setting, and prints it for Kelvin and for other engines.

pub(super) mod args;

use std::ops::ControlFlow;

use anyhow::Context;
use kelvin_engine::source;
use kelvin_lab::{
    Recipe, Run, Store,
    metrics::{Need, measure},
    recipe::{Draft, Origin},
    report::{Table, Value},
    run::{Sample, Source},
    statistics::Series,
    store::RunId,
    sweep::{Progress, sweep},
    tune::{Finalist, Objective, Round, finalists, rounds, standings},
    worker::Worker,
};
use kelvin_sampling::{Chain, Profile};
use kelvin_views::{
    escape,
    recommended::Recommended,
    translation::{Translation, translate},
};
use serde::Serialize;

use crate::{
    cli::{
        report::{judge_runs, lines},
        shared::{
            args::{ModelArgs, NamedModelArgs},
            failure::{Interrupted, usage},
            meaning, session,
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
use args::{CANDIDATES, SAMPLES, TuneArgs};

/// The dice of resampling.
const SEED: u64 = 0x74_75_6E_65;

/// The dice of two rounds lie so far apart, since at a server that knows no numbers of samples each
/// has the seed after the one before.
const DICE_APART: u64 = 1_000_000;

/// What came of a search.
#[derive(Debug, Serialize)]
struct TuneOutput {
    objective: String,
    source: Source,
    rounds: Vec<Played>,
    /// The winner first.
    finalists: Vec<SettingRow>,
    /// The winner for other engines.
    translations: Vec<Translation>,
}

/// A round as JSON says it.
#[derive(Debug, Serialize)]
struct Played {
    run: RunId,
    settings: usize,
    prompts: usize,
    samples: usize,
    texts: usize,
}

/// A finalist as JSON says it.
#[derive(Debug, Serialize)]
struct SettingRow {
    chain: String,
    value: Option<Value>,
    bounds: Vec<BoundRow>,
    /// Its difference from the winner; none for the winner.
    behind: Option<Value>,
    p_holm: Option<f64>,
    /// `winner`, `can't be told from the winner`, `worse`, `better` (by these dice) or `unknown`.
    verdict: &'static str,
}

/// A bound and whether it holds.
#[derive(Debug, Serialize)]
struct BoundRow {
    bound: String,
    value: Option<Value>,
    /// By the mean of the last round.
    holds: bool,
    /// The whole interval keeps it.
    shown: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &TuneArgs) -> anyhow::Result<()> {
    let objective: Objective =
        args.objective.parse().map_err(|error| usage(format!("--objective: {error}")))?;
    let first = recipe(args, &objective)?;
    let plan = rounds(first.chains.len(), first.samples, args.finalists);
    if args.sweep.plan {
        return show_plan(&plan, &first, args.sweep.json);
    }
    let asks_judge = objective.metrics().any(|metric| metric.needs == Need::Judge);
    let judge = first.evaluation.judge().filter(|_| asks_judge);
    if asks_judge && judge.is_none() {
        return Err(usage("the objective asks for a judge's opinion: name one with --judge"));
    }
    if meaning::is_needed(objective.metrics()) {
        let may = args.sweep.fetch.permissions();
        meaning::make_ready(may)?;
    }
    let path = sweeping::place(&args.sweep.db)?;
    let mut store = Store::open(&path)?;
    sweeping::with_worker(&args.sweep, &first, |worker| {
        search(args, &objective, &first, &plan, judge, &mut store, worker)
    })
}

/// Plays the rounds and says what came of them.
fn search(
    args: &TuneArgs,
    objective: &Objective,
    first: &Recipe,
    plan: &[Round],
    judge: Option<&str>,
    store: &mut Store,
    worker: &mut dyn Worker,
) -> anyhow::Result<()> {
    let may = args.sweep.fetch.permissions();
    let guard = Guard::new();
    let mut chains = first.chains.clone();
    let mut played = Vec::new();
    let mut last = None;
    for (number, round) in plan.iter().enumerate() {
        // Dice of its own.
        let seed = first.seed.wrapping_add(number as u64 * DICE_APART);
        let recipe =
            Recipe { chains: chains.clone(), samples: round.samples, seed, ..first.clone() };
        let n_written = played.iter().map(|round: &Played| round.texts).sum();
        let n_all: usize =
            plan.iter().map(|round| round.settings * round.samples * first.prompts.len()).sum();
        let run = fill(store, &recipe, worker, &guard, n_written, n_all)?;
        if let Some(judge) = judge {
            judge_runs(store, &[run], &judge_args(args, judge))?;
        }
        if meaning::is_needed(objective.metrics()) {
            meaning::place_texts(store, &[run], may, args.sweep.threads)?;
        }
        let run_data = store.load(run)?;
        if let Some((metric, why)) = unknown(&run_data, objective) {
            return Err(usage(format!("--objective: {metric} has no value, since {why}")));
        }
        played.push(Played {
            run,
            settings: chains.len(),
            prompts: recipe.prompts.len(),
            samples: round.samples,
            texts: recipe.n_texts(),
        });
        if round.is_last {
            last = Some(run_data);
        } else {
            let n_next = plan[number + 1].settings;
            let order = standings(&run_data, objective);
            chains = order
                .iter()
                .take(n_next)
                .map(|standing| run_data.chains[standing.chain].clone())
                .collect();
        }
    }
    // A plan always ends with a last round.
    let Some(last) = last else { return Ok(()) };
    let answer = answer(objective, worker.source().clone(), played, &last)?;
    if args.sweep.json {
        json::print(&answer)
    } else {
        terminal::print(&words(&answer, objective, Style::stdout()))
    }
}

/// What the flags mean, with this verb's own defaults.
fn recipe(args: &TuneArgs, objective: &Objective) -> anyhow::Result<Recipe> {
    let mut draft: Draft = sweeping::draft(&args.sweep)?;
    let takes_defaults = draft.temp.is_none()
        && draft.sampler.is_empty()
        && draft.stages.is_empty()
        && draft.profile.is_none();
    if takes_defaults {
        draft.sampler = CANDIDATES.map(String::from).to_vec();
    }
    draft.samples.get_or_insert(SAMPLES);
    if objective.metrics().any(|metric| metric.needs == Need::Shift) && draft.record.is_empty() {
        draft.record.push("shift".into());
    }
    let mut recipe = draft.resolve().map_err(|error| usage(error.to_string()))?;
    sweeping::check_judge(&recipe)?;
    if takes_defaults && let Origin::Server { speaks, .. } = &recipe.origin {
        // Those of them that it has words for.
        recipe.chains.retain(|chain| remote::can_ask(chain, speaks.as_deref()));
    }
    if takes_defaults && let Origin::Model(model) = &recipe.origin {
        add_recommended(args, &model.clone(), &mut recipe.chains)?;
    }
    check(&recipe, objective).map_err(|problem| usage(format!("--objective: {problem}")))?;
    Ok(recipe)
}

/// Adds what the model file recommends to the candidates. A plan fetches no model for it.
fn add_recommended(args: &TuneArgs, model: &str, chains: &mut Vec<Chain>) -> anyhow::Result<()> {
    let mut fetch = args.sweep.fetch;
    fetch.offline |= args.sweep.plan;
    let located = session::locate(&NamedModelArgs { model: model.to_string(), fetch });
    let path = match located {
        Ok((_, path)) => path,
        Err(_) if args.sweep.plan => return Ok(()),
        Err(error) => return Err(error),
    };
    let gguf =
        source::open(&path, None).with_context(|| format!("can't use {}", path.display()))?;
    let found = Recommended::of(&gguf.metadata).and_then(|found| found.params(&[]).ok());
    let Some(chain) = found.map(|params| params.chain().clone()) else { return Ok(()) };
    if !chains.contains(&chain) {
        terminal::note(&format!("Among the candidates: {chain}, which the model file recommends."));
        chains.push(chain);
    }
    Ok(())
}

/// Refuses an objective that would have no value in any round, before a text is made for it.
fn check(recipe: &Recipe, objective: &Objective) -> Result<(), String> {
    let is_server = matches!(recipe.origin, Origin::Server { .. });
    for metric in objective.metrics() {
        let (name, fewest) = (metric.name, metric.fewest_samples());
        if let Some(why) = metric.withheld().filter(|_| is_server) {
            return Err(format!("{name} can't be had here: {why}"));
        }
        if metric.needs == Need::Greedy {
            return Err(format!(
                "{name} compares with the greedy text of a prompt, which leaves a search with its \
                 setting; sweep and report show it"
            ));
        }
        if recipe.samples < fewest {
            return Err(format!(
                "{name} compares samples of a prompt, at least {fewest} of them, but --samples is {}",
                recipe.samples
            ));
        }
    }
    Ok(())
}

/// A metric of the objective that a round says nothing about, and why.
fn unknown(run: &Run, objective: &Objective) -> Option<(&'static str, String)> {
    objective.metrics().find_map(|metric| {
        let values = measure(run, metric);
        let why =
            values.absent.keys().next().filter(|_| values.chains.iter().all(Series::is_empty))?;
        Some((metric.name, why.to_string()))
    })
}

/// Makes a round's texts, those that aren't in the database yet. `n_written` of the search's
/// `n_all` texts are those of earlier rounds.
fn fill(
    store: &mut Store,
    recipe: &Recipe,
    worker: &mut dyn Worker,
    guard: &Guard,
    n_written: usize,
    n_all: usize,
) -> anyhow::Result<RunId> {
    let run = store.begin(recipe, worker.source(), env!("CARGO_PKG_VERSION"))?;
    let (done, total) = ((n_written + store.present(run)?.len()) as u64, n_all as u64);
    let mut told = RoundProgress { bar: LateBar::new(Counted::Texts), done, total, guard };
    told.bar.set(done, total);
    let swept = sweep(recipe, run, store, worker, &mut told)?;
    drop(told);
    if swept.n_missing == 0 {
        return Ok(run);
    }
    terminal::note("stopped; the same command goes on from there");
    Err(Interrupted.into())
}

/// A bar for texts.
struct RoundProgress<'a> {
    bar: LateBar,
    done: u64,
    total: u64,
    guard: &'a Guard,
}

impl RoundProgress<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Progress for RoundProgress<'_> {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
        self.go_on()
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        self.bar.note(&escape::printable(&format!("note: {why}")));
        self.go_on()
    }

    fn stored(&mut self, _: &Sample) -> ControlFlow<()> {
        self.done += 1;
        self.bar.set(self.done, self.total);
        self.go_on()
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

fn answer(
    objective: &Objective,
    source: Source,
    rounds: Vec<Played>,
    last: &Run,
) -> anyhow::Result<TuneOutput> {
    let found = finalists(last, objective, SEED);
    let winner: &Chain = &last.chains[0];
    // Our own notation is the chain itself.
    let others = Profile::all().filter(|profile| profile.name() != "kelvin");
    let translations =
        others.map(|profile| translate(winner, profile)).collect::<Result<_, _>>()?;
    Ok(TuneOutput {
        objective: objective.to_string(),
        source,
        rounds,
        finalists: found.iter().map(|finalist| row(finalist, last, objective)).collect(),
        translations,
    })
}

fn row(finalist: &Finalist, last: &Run, objective: &Objective) -> SettingRow {
    let bounds = objective.bounds.iter().zip(&finalist.bounded).map(|(bound, value)| {
        let holds = |mean: Option<f64>| bound.missed_by(mean) == 0.0;
        let worst = value.and_then(|value| if bound.is_ceiling { value.high } else { value.low });
        BoundRow {
            bound: bound.to_string(),
            value: *value,
            holds: holds(value.map(|v| v.mean)),
            shown: holds(worst),
        }
    });
    let better = if objective.most { "more" } else { "less" };
    let verdict = match &finalist.behind {
        None if finalist.chain == 0 => "winner",
        None => "unknown",
        Some(difference) => match difference.verdict.words() {
            "not shown" => "can't be told from the winner",
            "no interval" => "unknown",
            words if words == better => "better by these dice",
            _ => "worse",
        },
    };
    SettingRow {
        chain: last.chains[finalist.chain].to_string(),
        value: finalist.value,
        bounds: bounds.collect(),
        behind: finalist.behind.map(|difference| Value::of(&difference.estimate)),
        p_holm: finalist.behind.and_then(|difference| difference.p_holm),
        verdict,
    }
}

fn words(answer: &TuneOutput, objective: &Objective, style: Style) -> String {
    let shown = |value: &Option<Value>| match value {
        Some(Value { mean, low: Some(low), high: Some(high), .. }) => {
            format!("{mean:.3} ({low:.3} … {high:.3})")
        }
        Some(value) => format!("{:.3}", value.mean),
        None => "-".to_string(),
    };
    let mut head = vec!["setting".to_string(), objective.metric.title.to_string()];
    head.extend(answer.finalists[0].bounds.iter().map(|held| held.bound.clone()));
    head.push("verdict".into());
    let rows = answer.finalists.iter().map(|row| {
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
        title: format!("{}: {}", answer.objective, answer.finalists[0].chain),
        note: format!(
            "95 % intervals of the last round's own dice; rounds: {}",
            budget.join(" → ")
        ),
        head,
        rows: rows.collect(),
    };
    let mut out = lines(&table, style);
    out += &format!("\n{}\n", style.bold("For other engines"));
    for translation in &answer.translations {
        let settings = serde_json::Value::Object(translation.settings.clone());
        out += &format!("  {:<13} {settings}\n", translation.to);
        for missing in &translation.missing {
            out += &format!("  {:<13} can't: {missing}\n", "");
        }
    }
    out
}
