//! `sweep` and `tune`: fill the database as the command does, and tell Python how far they are.

use std::{ops::ControlFlow, path::PathBuf};

use kelvin_lab::{
    Column, Store,
    metrics::{self, Need},
    recipe::Origin,
    run::Sample,
    scores::Score,
    store::RunId,
    sweep::{Progress, SweepError, missing, sweep as fill},
    tune::{Objective, Search, SearchError, Watcher, with_defaults},
    worker::WorkerError,
};
use kelvin_models::catalogue::Reference;
use kelvin_views::recommended;
use pyo3::{
    exceptions::{PyConnectionError, PyKeyboardInterrupt, PyRuntimeError, PyValueError},
    prelude::*,
};

use crate::{
    json,
    open::metadata,
    parts::value_error,
    run::{Run, place, store_error},
    worker::{How, draft, with_worker},
};

/// Tells Python of the texts, and listens for Ctrl-C.
struct Told {
    /// Called with the texts that are there, all texts, the tokens that were drawn, and a note.
    call: Py<PyAny>,
    done: usize,
    all: usize,
    tokens: usize,
    /// What Python raised: it ends the work.
    raised: Option<PyErr>,
}

impl Told {
    fn new(call: Py<PyAny>) -> Told {
        Told { call, done: 0, all: 0, tokens: 0, raised: None }
    }

    fn tell(&mut self, note: Option<&str>) -> ControlFlow<()> {
        let told = Python::attach(|py| {
            py.check_signals()?;
            self.call.call1(py, (self.done, self.all, self.tokens, note)).map(drop)
        });
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    /// What Python raised, if the work was broken off.
    fn broken_off(self) -> PyErr {
        self.raised.unwrap_or_else(|| PyKeyboardInterrupt::new_err("the work was broken off"))
    }
}

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

impl Watcher<PyErr> for Told {
    fn round(&mut self, done: usize, all: usize) {
        (self.done, self.all) = (done, all);
    }

    fn filled(&mut self, _: &mut Store, _: RunId) -> PyResult<()> {
        Ok(())
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
    if let Some(judge) = recipe.evaluation.judge() {
        // A judge that can't be meant is refused now rather than when the texts are there.
        Reference::writer(judge).map_err(|error| value_error(format!("judge: {error}")))?;
    }
    let path = place(db)?;
    let mut told = Told::new(told);
    py.detach(|| {
        // Before the model is loaded, which takes longer than finding out that nothing can be kept.
        let mut store = Store::open(&path).map_err(store_error)?;
        with_worker(&recipe, &how, |worker| {
            let run = store.begin(&recipe, worker.source(), env!("CARGO_PKG_VERSION"));
            let run = run.map_err(store_error)?;
            let n_missing = missing(&recipe, &store.present(run).map_err(store_error)?).len();
            (told.done, told.all) = (recipe.n_texts() - n_missing, recipe.n_texts());
            if told.tell(None).is_break() {
                return Err(told.broken_off());
            }
            let swept = fill(&recipe, run, &mut store, worker, &mut told).map_err(sweep_error)?;
            if swept.n_missing > 0 || told.raised.is_some() {
                return Err(told.broken_off());
            }
            Run::of(&store, run)
        })
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
    let own = metrics::owns(&draft.scores).map_err(value_error)?;
    let objective = Objective::read(objective, &own)
        .map_err(|error| value_error(format!("objective: {error}")))?;
    let (draft, takes_usual) = with_defaults(draft, &objective);
    let mut first = draft.resolve().map_err(value_error)?;
    let is_run = |score: &Score| score.is_stored() && objective.names(&score.name);
    if objective.metrics().any(|metric| matches!(metric.needs, Need::Judge | Need::Meaning))
        || first.scores.iter().any(is_run)
    {
        return Err(PyValueError::new_err(
            "objective: a metric needs a judge, a command or a model of meanings, which `kelvin \
             tune` runs",
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
        let mut store = Store::open(&path).map_err(store_error)?;
        with_worker(&first, &how, |worker| {
            let found = search.play::<PyErr>(&mut store, worker, &mut told);
            found.map_err(search_error)?.ok_or_else(|| told.broken_off())
        })
    })?;
    let answer = json::object(py, &found)?;
    answer.set_item("objective", objective.to_string())?;
    answer.set_item("chain", found.winner.to_string())?;
    Ok(answer)
}
