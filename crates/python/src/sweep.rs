//! `sweep` and `tune`: fill the database as the command does, and tell Python how far they are.

use std::{ops::ControlFlow, path::PathBuf};

use kelvin_lab::{
    Column, Store,
    metrics::Need,
    recipe::Origin,
    run::Sample,
    scores::{Score, metrics_of},
    store::RunId,
    sweep::{Progress, SweepError, missing, sweep as fill},
    tune::{Objective, Search, SearchError, Watcher, with_defaults},
    worker::WorkerError,
};
use kelvin_views::recommended;
use pyo3::{
    exceptions::{PyConnectionError, PyRuntimeError, PyValueError},
    prelude::*,
};

use crate::{
    json,
    open::metadata,
    parts::value_error,
    run::{Run, place, store_error},
    scoring,
    told::Told,
    worker::{How, draft, with_worker},
};

impl Progress for Told {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.tokens += n_new;
        self.tell(None)
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        self.tell(Some(why))
    }

    fn stored(&mut self, _: &Sample) -> ControlFlow<()> {
        self.done += 1;
        self.tell(None)
    }
}

/// Tells of a search, and has the texts of its rounds scored as far as its objective asks for it.
struct Scorer<'a> {
    told: &'a mut Told,
    /// The scores of the recipe that the objective names.
    scores: Vec<Score>,
    judge: Option<&'a str>,
    how: &'a How,
}

impl Progress for Scorer<'_> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.told.tokens(n_new)
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        self.told.waits(why)
    }

    fn stored(&mut self, sample: &Sample) -> ControlFlow<()> {
        self.told.stored(sample)
    }
}

impl Watcher<PyErr> for Scorer<'_> {
    fn round(&mut self, done: usize, all: usize) {
        // What Python raises ends the work at the next text.
        let _ = self.told.begin(done, all);
    }

    fn filled(&mut self, store: &mut Store, run: RunId) -> PyResult<()> {
        if let Some(judge) = self.judge {
            scoring::ask_judge(store, run, (judge, &self.scores), self.how, self.told)?;
        }
        scoring::run_commands(store, run, &self.scores, self.told)
    }
}

fn sweep_error(error: SweepError) -> PyErr {
    let words = error.to_string();
    match error {
        SweepError::Store(error) => store_error(error),
        SweepError::Worker(WorkerError::Server(_)) => PyConnectionError::new_err(words),
        SweepError::Worker(WorkerError::Prompt { .. }) => PyValueError::new_err(words),
        SweepError::Worker(_) => PyRuntimeError::new_err(words),
    }
}

fn search_error(error: SearchError<PyErr>) -> PyErr {
    match error {
        SearchError::Unmeasured { .. } => value_error(format!("objective: {error}")),
        SearchError::Store(error) => store_error(error),
        SearchError::Sweep(error) => sweep_error(error),
        SearchError::Watcher(error) => error,
    }
}

/// Fills the table of a recipe: what `kelvin.lab.sweep` calls.
#[pyfunction]
pub(crate) fn run_sweep(
    py: Python<'_>,
    recipe: Option<PathBuf>,
    fields: &str,
    db: Option<PathBuf>,
    told: Py<PyAny>,
    how: How,
) -> PyResult<Run> {
    let recipe = draft(recipe.as_deref(), fields)?.resolve().map_err(value_error)?;
    scoring::check_judge(recipe.evaluation.judge())?;
    let path = place(db)?;
    let mut told = Told::new(told);
    py.detach(|| {
        // Before the model is loaded, which takes longer than finding out that nothing can be kept.
        let mut store = Store::open(&path).map_err(store_error)?;
        let run = with_worker(&recipe, &how, |worker| {
            let run = store.begin(&recipe, worker.source(), env!("CARGO_PKG_VERSION"));
            let run = run.map_err(store_error)?;
            let n_missing = missing(&recipe, &store.present(run).map_err(store_error)?).len();
            if told.begin(recipe.n_texts() - n_missing, recipe.n_texts()).is_break() {
                return Err(told.broken_off());
            }
            let swept = fill(&recipe, run, &mut store, worker, &mut told).map_err(sweep_error)?;
            let outcome = match swept.n_missing {
                0 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            };
            told.or_broken_off(Ok(outcome)).map(|()| run)
        })?;
        // The model of the texts is closed by now.
        scoring::run_commands(&mut store, run, &recipe.scores, &mut told)?;
        if let Some(judge) = recipe.evaluation.judge() {
            scoring::ask_judge(&mut store, run, (judge, &recipe.scores), &how, &mut told)?;
        }
        Run::of(&store, run)
    })
}

/// Searches for the best setting: what `kelvin.lab.tune` calls.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one call of Python")]
pub(crate) fn run_tune<'py>(
    py: Python<'py>,
    objective: &str,
    finalists: usize,
    recipe: Option<PathBuf>,
    fields: &str,
    db: Option<PathBuf>,
    told: Py<PyAny>,
    how: How,
) -> PyResult<Bound<'py, PyAny>> {
    let draft = draft(recipe.as_deref(), fields)?;
    let own = metrics_of(&draft.scores).map_err(value_error)?;
    let objective = Objective::read(objective, &own)
        .map_err(|error| value_error(format!("objective: {error}")))?;
    let (draft, takes_usual) = with_defaults(draft, &objective);
    let mut first = draft.resolve().map_err(value_error)?;
    scoring::check_judge(first.evaluation.judge())?;
    if objective.metrics().any(|metric| metric.needs == Need::Meaning) {
        return Err(PyValueError::new_err(
            "objective: a metric needs a model of meanings, which the wheel doesn't have",
        ));
    }
    let path = place(db)?;
    let mut told = Told::new(told);
    let found = py.detach(|| {
        if takes_usual {
            match &first.origin {
                Origin::Server { speaks, .. } => {
                    let speaks = speaks.clone();
                    first.chains.retain(|c| kelvin::remote::can_ask(c, speaks.as_deref()));
                }
                Origin::Model(model) => {
                    let metadata = metadata(model, how.permissions())?;
                    let column = recommended::chain(&metadata).map(Column::from);
                    first.chains.extend(column.filter(|column| !first.chains.contains(column)));
                }
            }
        }
        let version = env!("CARGO_PKG_VERSION");
        let search = Search { objective: &objective, first: &first, finalists, version };
        search.check().map_err(|problem| value_error(format!("objective: {problem}")))?;
        let judge = first.evaluation.judge().filter(|_| search.needs_judge());
        if search.needs_judge() && judge.is_none() {
            return Err(PyValueError::new_err("objective: it asks a judge: name one with judge"));
        }
        let mut store = Store::open(&path).map_err(store_error)?;
        with_worker(&first, &how, |worker| {
            let mut scores = first.scores.clone();
            scores.retain(|score| objective.names(&score.name));
            let mut scorer = Scorer { told: &mut told, scores, judge, how: &how };
            let found = search.play::<PyErr>(&mut store, worker, &mut scorer);
            found.map_err(search_error)?.ok_or_else(|| told.broken_off())
        })
    })?;
    let answer = json::object(py, &found)?;
    answer.set_item("objective", objective.to_string())?;
    answer.set_item("chain", found.winner.to_string())?;
    Ok(answer)
}
