//! `tune`: settings, prompts and an objective in, the setting to use out, in Kelvin's words and in those of other engines.

use std::ops::ControlFlow;

use kelvin_lab::{
    Recipe, Run, Store,
    metrics::Need,
    recipe::{Draft, Origin},
    report::{Table, Value},
    run::{Sample, Source},
    store::RunId,
    sweep::{Progress, sweep},
    tune::{Finalist, Objective, Round, finalists, rounds, standings},
    worker::Local,
};
use kelvin_sampling::{Chain, Profile};
use serde::Serialize;

use super::{
    args::ModelArgs,
    failure::{Interrupted, usage},
    meaning,
    report::{judge_runs, lines},
    session::{self, Session},
    sweep as sweeping,
    tune_args::{CANDIDATES, SAMPLES, TuneArgs},
};
use crate::{
    interrupt::Guard,
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
    },
    views::translation::{Translation, translate},
};

/// The dice of resampling.
const SEED: u64 = 0x74_75_6E_65;

/// What came of a search.
#[derive(Debug, Serialize)]
struct Answer {
    objective: String,
    source: Source,
    rounds: Vec<Played>,
    /// The winner first.
    finalists: Vec<Row>,
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
struct Row {
    chain: String,
    value: Option<Value>,
    bounds: Vec<Held>,
    /// Its difference from the winner; none for the winner.
    behind: Option<Value>,
    p_holm: Option<f64>,
    /// `winner`, `can't be told from the winner`, `worse`, `better` (by these dice) or `unknown`.
    verdict: &'static str,
}

/// A bound and whether it holds.
#[derive(Debug, Serialize)]
struct Held {
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
    let asks_meaning = meaning::is_needed(objective.metrics());
    let may = args.sweep.fetch.permissions();
    if asks_meaning {
        meaning::make_ready(may)?;
    }
    let path = sweeping::place(&args.sweep.db)?;
    let mut store = Store::open(&path)?;
    let session = session::open(&sweeping::model_args(&args.sweep, &first))?;
    let source = Source::Local { model: session.file.model.clone(), sha256: session.sha256()? };
    let guard = Guard::new();
    let mut chains = first.chains.clone();
    let mut played = Vec::new();
    let mut last = None;
    for (number, round) in plan.iter().enumerate() {
        // Dice of its own.
        let seed = first.seed.wrapping_add(number as u64);
        let recipe = Recipe { chains: chains.clone(), samples: round.samples, seed, ..first.clone() };
        let run = fill(&mut store, &recipe, &session, &source, args, &guard)?;
        if let Some(judge) = judge {
            judge_runs(&mut store, &[run], &judge_args(args, judge))?;
        }
        if asks_meaning {
            meaning::place_texts(&mut store, &[run], may)?;
        }
        let run_data = store.load(run)?;
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
            let order = standings(&run_data, &objective);
            chains =
                order.iter().take(n_next).map(|standing| run_data.chains[standing.chain].clone()).collect();
        }
    }
    // A plan always ends with a last round.
    let Some(last) = last else { return Ok(()) };
    let answer = answer(&objective, source, played, &last)?;
    if args.sweep.json {
        json::print(&answer)
    } else {
        terminal::print(&words(&answer, &objective, Style::stdout()))
    }
}

/// What the flags mean, with this verb's own defaults.
fn recipe(args: &TuneArgs, objective: &Objective) -> anyhow::Result<Recipe> {
    let mut draft: Draft = sweeping::draft(&args.sweep)?;
    if draft.temp.is_none() && draft.sampler.is_empty() && draft.stages.is_empty() && draft.profile.is_none()
    {
        draft.sampler = CANDIDATES.map(String::from).to_vec();
    }
    draft.samples.get_or_insert(SAMPLES);
    if objective.metrics().any(|metric| metric.needs == Need::Shift) && draft.record.is_empty() {
        draft.record.push("shift".into());
    }
    let recipe = draft.resolve().map_err(|error| usage(error.to_string()))?;
    sweeping::check_judge(&recipe)?;
    match &recipe.origin {
        Origin::Model(_) => Ok(recipe),
        Origin::Server { .. } => {
            Err(usage("tune works with a model on this machine; sweep and report take a server"))
        }
    }
}

/// Makes a round's texts, those that aren't in the database yet.
fn fill(
    store: &mut Store,
    recipe: &Recipe,
    session: &Session,
    source: &Source,
    args: &TuneArgs,
    guard: &Guard,
) -> anyhow::Result<RunId> {
    let prompts = sweeping::prompts(session, recipe)?;
    let mut worker =
        Local::new(&session.engine, source.clone(), prompts, recipe.length.context, args.sweep.width)?;
    let run = store.begin(recipe, source, env!("CARGO_PKG_VERSION"))?;
    let total = recipe.n_texts() as u64;
    let done = store.present(run)?.len() as u64;
    let mut told = Told { bar: LateBar::new(Counted::Texts), done, total, guard };
    let swept = sweep(recipe, run, store, &mut worker, &mut told)?;
    if swept.n_missing > 0 { Err(Interrupted.into()) } else { Ok(run) }
}

/// A bar for texts.
struct Told<'a> {
    bar: LateBar,
    done: u64,
    total: u64,
    guard: &'a Guard,
}

impl Told<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Progress for Told<'_> {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
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
        head: ["round", "settings", "samples", "texts", "tokens at most"].map(String::from).to_vec(),
        rows: rows.collect(),
    };
    terminal::print(&lines(&table, Style::stdout()))
}

fn answer(objective: &Objective, source: Source, rounds: Vec<Played>, last: &Run) -> anyhow::Result<Answer> {
    let found = finalists(last, objective, SEED);
    let winner: &Chain = &last.chains[0];
    // Our own notation is the chain itself.
    let others = Profile::all().filter(|profile| profile.name() != "kelvin");
    let translations = others.map(|profile| translate(winner, profile)).collect::<Result<_, _>>()?;
    Ok(Answer {
        objective: objective.to_string(),
        source,
        rounds,
        finalists: found.iter().map(|finalist| row(finalist, last, objective)).collect(),
        translations,
    })
}

fn row(finalist: &Finalist, last: &Run, objective: &Objective) -> Row {
    let bounds = objective.bounds.iter().zip(&finalist.bounded).map(|(bound, value)| {
        let holds = |mean: Option<f64>| bound.missed_by(mean) == 0.0;
        let worst = value.and_then(|value| if bound.is_ceiling { value.high } else { value.low });
        Held {
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
    Row {
        chain: last.chains[finalist.chain].to_string(),
        value: finalist.value,
        bounds: bounds.collect(),
        behind: finalist.behind.map(|difference| Value::of(&difference.estimate)),
        p_holm: finalist.behind.and_then(|difference| difference.p_holm),
        verdict,
    }
}

fn words(answer: &Answer, objective: &Objective, style: Style) -> String {
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
            format!("{} settings × {} prompts × {} samples", round.settings, round.prompts, round.samples)
        })
        .collect();
    let table = Table {
        title: format!("{}: {}", answer.objective, answer.finalists[0].chain),
        note: format!("95 % intervals of the last round's own dice; rounds: {}", budget.join(" → ")),
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
