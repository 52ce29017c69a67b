//! Plays the rounds of a search: each is a run in the database, filled, read by a judge if the
//! objective asks for one, and measured.

use std::ops::ControlFlow;

use serde::Serialize;

use super::{Finalist, Objective, Round, finalists, rounds, standings};
use crate::{
    Recipe, Run, Store,
    column::Column,
    metrics::{Need, measure},
    recipe::{Draft, Origin},
    report::Value,
    run::Sample,
    scoring,
    statistics::Series,
    store::{RunId, StoreError},
    sweep::{Progress, SweepError, sweep},
    worker::Worker,
};

/// The objective unless another is given: diversity with a bound on fluency.
pub const OBJECTIVE: &str = "vendi, surprisal<=2.5";
/// The settings that are tried unless some are given.
pub const CANDIDATES: [&str; 3] = [
    "temp={0.6..1.8 step 0.2}",
    "temp={0.6..1.8 step 0.2} | min_p={0.05,0.1}",
    "temp={0.6..1.8 step 0.2} | top_p={0.9,0.95}",
];
/// Samples of each prompt with each setting in the first round, unless said otherwise.
pub const SAMPLES: usize = 4;
/// Settings that the last round compares, unless said otherwise.
pub const FINALISTS: usize = 4;

/// The seed of resampling.
const SEED: u64 = 0x74_75_6E_65;
/// The distance between the seeds of two rounds. A server that knows no sample numbers gets
/// seed + sample, so neighbouring seeds would share their random numbers.
const DICE_APART: u64 = 1_000_000;

/// A search: its objective and the recipe of its first round.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// What is wanted.
    pub objective: &'a Objective,
    /// The recipe whose chains are the candidates.
    pub first: &'a Recipe,
    /// How many settings the last round compares.
    pub finalists: usize,
    /// The version of Kelvin that the runs are marked with.
    pub version: &'a str,
}

/// Receives the progress of a search.
pub trait Watcher<E>: Progress {
    /// A round begins: `done` of all texts of the search exist.
    fn round(&mut self, done: usize, all: usize);

    /// All texts of a round are stored: the place for a judge or an embedding model.
    ///
    /// # Errors
    /// Why the texts can't be read. It ends the search.
    fn filled(&mut self, store: &mut Store, run: RunId) -> Result<(), E>;
}

/// Why a search ended early.
#[derive(Debug, thiserror::Error)]
pub enum SearchError<E> {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A round's texts can't be generated or stored.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A metric of the objective has no value in a round.
    #[error("{metric} has no value, since {why}")]
    Unmeasured {
        /// The metric.
        metric: &'static str,
        /// The reason.
        why: String,
    },
    /// The watcher's own error.
    #[error("{0}")]
    Watcher(E),
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The rounds, the last one only reports.
    pub rounds: Vec<Played>,
    /// The finalists, the winner first.
    pub finalists: Vec<SettingRow>,
    /// The winner's chain, or its temperature of texts.
    #[serde(skip)]
    pub winner: Column,
}

/// A round that was played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Played {
    /// Its run in the database.
    pub run: RunId,
    /// The number of settings.
    pub settings: usize,
    /// The number of prompts.
    pub prompts: usize,
    /// Samples per prompt and setting.
    pub samples: usize,
    /// The number of texts.
    pub texts: usize,
}

/// A finalist with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingRow {
    /// The chain.
    pub chain: String,
    /// The target metric.
    pub value: Option<Value>,
    /// The bounds, in the objective's order.
    pub bounds: Vec<BoundRow>,
    /// The paired difference from the winner; `None` for the winner.
    pub behind: Option<Value>,
    /// p of that difference after Holm's correction.
    pub p_holm: Option<f64>,
    /// `winner`, `can't be told from the winner`, `worse`, `better by these dice` or `unknown`.
    pub verdict: &'static str,
}

/// A bound and whether a finalist holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundRow {
    /// The bound.
    pub bound: String,
    /// Its metric.
    pub value: Option<Value>,
    /// Whether the mean holds it.
    pub holds: bool,
    /// Whether the whole interval holds it.
    pub shown: bool,
}

/// Fills in a search's defaults where the user said nothing. Returns whether the candidates are
/// the usual ones.
pub fn with_defaults(mut draft: Draft, objective: &Objective) -> (Draft, bool) {
    let takes_usual = draft.temp.is_none()
        && draft.sampler.is_empty()
        && draft.stages.is_empty()
        && draft.profile.is_none();
    if takes_usual {
        draft.sampler = CANDIDATES.map(String::from).to_vec();
    }
    draft.samples.get_or_insert(SAMPLES);
    if objective.metrics().any(|metric| metric.needs == Need::Shift) && draft.record.is_empty() {
        draft.record.push("shift".into());
    }
    (draft, takes_usual)
}

impl Search<'_> {
    /// The rounds that are to be played.
    pub fn rounds(&self) -> Vec<Round> {
        rounds(self.first.chains.len(), self.first.samples, self.finalists)
    }

    /// Whether the objective needs a judge.
    pub fn needs_judge(&self) -> bool {
        self.objective.metrics().any(|metric| metric.needs == Need::Judge)
    }

    /// Refuses an objective that would have no value in any round.
    ///
    /// # Errors
    /// A sentence about the metric.
    pub fn check(&self) -> Result<(), String> {
        let is_server = matches!(self.first.origin, Origin::Server { .. });
        for metric in self.objective.metrics() {
            let (name, fewest) = (metric.name, metric.fewest_samples());
            if let Some(why) = metric.withheld().filter(|_| is_server) {
                return Err(format!("{name} can't be had here: {why}"));
            }
            if metric.needs == Need::Greedy {
                return Err(format!(
                    "{name} compares with the greedy text of a prompt, which leaves a search with \
                     its setting; sweep and report show it"
                ));
            }
            if self.first.samples < fewest {
                return Err(format!(
                    "{name} compares samples of a prompt, at least {fewest} of them, but --samples \
                     is {}",
                    self.first.samples
                ));
            }
        }
        Ok(())
    }

    /// Plays all rounds. `None` if the watcher broke off: the texts so far are stored, and the next
    /// call goes on from there.
    ///
    /// # Errors
    /// If texts can't be generated, stored, read or measured.
    pub fn play<E>(
        &self,
        store: &mut Store,
        worker: &mut dyn Worker,
        watcher: &mut dyn Watcher<E>,
    ) -> Result<Option<Found>, SearchError<E>> {
        let (objective, first, plan) = (self.objective, self.first, self.rounds());
        let n_all = plan.iter().map(|round| round.settings * round.samples).sum::<usize>()
            * first.prompts.len();
        let mut chains = first.chains.clone();
        let mut played: Vec<Played> = Vec::new();
        for (number, round) in plan.iter().enumerate() {
            let seed = first.seed.wrapping_add(number as u64 * DICE_APART);
            let recipe =
                Recipe { chains: chains.clone(), samples: round.samples, seed, ..first.clone() };
            let run = store.begin_round(&recipe, worker.source(), self.version)?;
            let n_written: usize = played.iter().map(|round| round.texts).sum();
            watcher.round(n_written + store.present(run)?.len(), n_all);
            let swept = sweep(&recipe, run, store, worker, &mut Told(watcher))?;
            if swept.n_missing > 0 {
                return Ok(None);
            }
            watcher.filled(store, run).map_err(SearchError::Watcher)?;
            let mut data = store.load(run)?;
            scoring::fill(store, run, &mut data, &first.scores)?;
            if let Some((metric, why)) = unmeasured(&data, objective) {
                return Err(SearchError::Unmeasured { metric, why });
            }
            played.push(Played {
                run,
                settings: chains.len(),
                prompts: recipe.prompts.len(),
                samples: round.samples,
                texts: recipe.n_texts(),
            });
            if round.is_last {
                let runs: Vec<RunId> = played.iter().map(|round| round.run).collect();
                store.close_rounds(&runs)?;
                return Ok(Some(found(objective, played, &data)));
            }
            let order = standings(&data, objective);
            let kept = order.iter().take(plan[number + 1].settings);
            chains = kept.map(|standing| data.chains[standing.chain].clone()).collect();
        }
        // A plan always ends with a last round.
        Ok(None)
    }
}

/// The watcher as a sweep's progress.
struct Told<'a, E>(&'a mut dyn Watcher<E>);

impl<E> Progress for Told<'_, E> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.0.tokens(n_new)
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        self.0.waits(why)
    }

    fn stored(&mut self, sample: &Sample) -> ControlFlow<()> {
        self.0.stored(sample)
    }
}

/// A metric of the objective without any value in a round, and why.
fn unmeasured(run: &Run, objective: &Objective) -> Option<(&'static str, String)> {
    objective.metrics().find_map(|metric| {
        let values = measure(run, metric);
        let why =
            values.absent.keys().next().filter(|_| values.chains.iter().all(Series::is_empty))?;
        Some((metric.name, why.to_string()))
    })
}

fn found(objective: &Objective, rounds: Vec<Played>, last: &Run) -> Found {
    let rows = finalists(last, objective, SEED);
    Found {
        rounds,
        finalists: rows.iter().map(|finalist| row(finalist, last, objective)).collect(),
        winner: last.chains[0].clone(),
    }
}

fn row(finalist: &Finalist, last: &Run, objective: &Objective) -> SettingRow {
    let bounds = objective.bounds.iter().zip(&finalist.bounded).map(|(bound, value)| {
        let holds = |mean: Option<f64>| bound.missed_by(mean) == 0.0;
        let worst = value.and_then(|value| if bound.is_ceiling { value.high } else { value.low });
        BoundRow {
            bound: bound.to_string(),
            value: *value,
            holds: holds(value.map(|value| value.mean)),
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
