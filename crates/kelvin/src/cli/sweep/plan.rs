//! `sweep --plan`: the size of the table, its tokens and the expected time, before anything is
//! generated.

use std::{ops::ControlFlow, time::Instant};

use kelvin_lab::{
    Recipe, Store,
    recipe::Template,
    replay::RecordedLogits,
    run::{Sample, Source},
    sweep::missing,
    worker::{Row, Watcher, Worker},
};
use kelvin_views::escape;
use serde::Serialize;

use super::view::{self, counted, duration, grouped, manner, named, template};
use crate::terminal::{
    self, json,
    table::{self, Align},
};

/// Tokens of each text of a speed measurement.
const MEASURED_TOKENS: usize = 24;
/// Maximum texts of a speed measurement.
const MEASURED_TEXTS: usize = 32;
/// Sessions with fewer tokens don't count for the speed.
const LEAST_TOKENS: usize = 500;

/// What a sweep would do.
#[derive(Debug, Serialize)]
struct Plan<'a> {
    hash: String,
    source: &'a Source,
    /// The template; `raw` for a server with `auto`.
    template: Template,
    prompts: usize,
    chains: Vec<String>,
    samples: usize,
    seed: u64,
    max_tokens: usize,
    texts: usize,
    missing: usize,
    /// Tokens of the missing texts if none ends early.
    most_tokens: usize,
    /// Seconds for these tokens, if the speed is known.
    most_secs: Option<f64>,
    tokens_per_sec: Option<f64>,
    /// Where the speed comes from: `earlier` runs, a measurement `now`, or null.
    speed_from: Option<&'static str>,
}

/// Prints the plan. The speed of a local model is measured if no earlier session tells it.
pub(crate) fn show(
    recipe: &Recipe,
    store: Option<&Store>,
    worker: &mut dyn Worker,
    json: bool,
) -> anyhow::Result<()> {
    let source = worker.source().clone();
    let hash = recipe.hash(&source);
    let listed = store.map(Store::list).transpose()?.unwrap_or_default();
    let present = match (store, listed.iter().find(|run| run.hash == hash)) {
        (Some(store), Some(run)) => store.present(run.id)?,
        _ => Default::default(),
    };
    let rows = missing(recipe, &present);
    let most_tokens = view::most_tokens(recipe, &rows);
    let sessions = store.map(|store| store.sessions_of(&source)).transpose()?.unwrap_or_default();
    let threads = worker.n_threads();
    let earlier = sessions
        .iter()
        .find(|session| session.threads == threads && session.tokens >= LEAST_TOKENS);
    let (tokens_per_sec, speed_from) = match (earlier, &source) {
        (Some(session), _) => (Some(session.tokens as f64 / session.elapsed_secs), Some("earlier")),
        (None, Source::Local { .. }) if !rows.is_empty() => {
            (Some(measure(recipe, &rows, worker)?), Some("now"))
        }
        _ => (None, None),
    };
    let plan = Plan {
        hash,
        source: &source,
        template: template(recipe),
        prompts: recipe.prompts.len(),
        chains: recipe.chains.iter().map(ToString::to_string).collect(),
        samples: recipe.samples,
        seed: recipe.seed,
        max_tokens: recipe.length.max_tokens,
        texts: recipe.n_texts(),
        missing: rows.len(),
        most_tokens,
        most_secs: tokens_per_sec.map(|rate| most_tokens as f64 / rate),
        tokens_per_sec,
        speed_from,
    };
    if json { json::print(&plan) } else { terminal::print(&words(&plan)) }
}

fn words(plan: &Plan<'_>) -> String {
    let chains = match &plan.chains[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first}, {second}"),
        [first, .., last] => format!("{first} … {last}"),
    };
    let there = plan.texts - plan.missing;
    let texts =
        if there == 0 { String::new() } else { format!("{} stored already", grouped(there)) };
    let time = match (plan.most_secs, plan.tokens_per_sec, plan.speed_from) {
        (Some(secs), Some(rate), from) => {
            let from = if from == Some("now") {
                "measured just now"
            } else {
                "as in an earlier sweep here"
            };
            [
                format!("≤ {}", duration(secs)),
                format!("at {} tokens/s, {from}", grouped(rate.round() as usize)),
            ]
        }
        _ if plan.missing == 0 => ["-".into(), "everything is there".into()],
        _ => ["?".into(), "known after the first sweep of this server".into()],
    };
    let row = |name: &str, number: String, more: String| vec![name.to_string(), number, more];
    let [time, why] = time;
    let rows = [
        row("prompts", grouped(plan.prompts), String::new()),
        row("chains", grouped(plan.chains.len()), chains),
        row("samples", grouped(plan.samples), format!("seed {}", plan.seed)),
        row("texts", grouped(plan.texts), texts),
        row(
            "tokens",
            format!("≤ {}", grouped(plan.most_tokens)),
            format!("{} a text", counted(plan.max_tokens, "token")),
        ),
        row("time", time, why),
    ];
    let model = escape::printable(named(plan.source));
    let mut out = format!("{model} · recipe {}\n", &plan.hash[..8]);
    for line in table::lines(&rows, &[Align::Left, Align::Right, Align::Left], 2) {
        out.push_str(&(escape::printable(&line) + "\n"));
    }
    out + &manner(plan.source).unwrap_or_default()
}

/// Measures tokens per second on the first missing texts, a few tokens each. The texts aren't
/// stored.
fn measure(recipe: &Recipe, rows: &[Row], worker: &mut dyn Worker) -> anyhow::Result<f64> {
    let mut short = recipe.clone();
    short.length.max_tokens = recipe.length.max_tokens.min(MEASURED_TOKENS);
    let mut count = Count(0);
    let begun = Instant::now();
    worker.fill(&short, &rows[..rows.len().min(MEASURED_TEXTS)], &mut count)?;
    Ok(count.0 as f64 / begun.elapsed().as_secs_f64())
}

struct Count(usize);

impl Watcher for Count {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.0 += n_new;
        ControlFlow::Continue(())
    }

    fn finished(&mut self, _: Sample, _: Vec<RecordedLogits>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
