//! Scores that take time: the commands and the judge of a run, and the progress that Python sees.

use std::ops::ControlFlow;

use kelvin_lab::{
    Store,
    recipe::NOBODY,
    report::with_others,
    run::Source,
    scores::Score,
    scoring::{self, Judge, ScoringError, Watcher},
    store::{Listed, RunId},
};
use kelvin_models::catalogue::Reference;
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    notation::{self, Notations},
    open::{Opened, open, sha256},
    parts::value_error,
    run::{Run, store_error},
    told::Told,
    worker::{How, prompts},
};

/// Refuses a judge that can't be meant, before texts are made.
pub(crate) fn check_judge(judge: Option<&str>) -> PyResult<()> {
    let Some(judge) = judge.filter(|judge| *judge != NOBODY) else { return Ok(()) };
    Reference::writer(judge).map(drop).map_err(|error| value_error(format!("judge: {error}")))
}

/// Runs the commands of scores on the texts of a run, as far as they have no value.
pub(crate) fn run_commands(
    store: &mut Store,
    run: RunId,
    scores: &[Score],
    told: &mut Told,
) -> PyResult<()> {
    let outcome = scoring::run_commands(store, run, scores, told).map_err(store_error);
    told.or_broken_off(outcome)
}

/// Has a judge read the texts of a run and answer what scores ask, as far as it hasn't.
pub(crate) fn ask_judge(
    store: &mut Store,
    run: RunId,
    (judge, scores): (&str, &[Score]),
    how: &How,
    told: &mut Told,
) -> PyResult<()> {
    let listed = store.show(run).map_err(store_error)?;
    if is_done(store, &listed, judge, scores)? {
        return Ok(());
    }
    let Opened { engine, path, reference } = open(judge, how.threads, how.permissions())?;
    let sha256 = sha256(&reference, &engine.files, &path)?;
    let source = Source::Local { model: judge.to_string(), sha256 };
    let prompts = prompts(&engine, &listed.recipe)?;
    let by = Judge { engine: &engine, source: &source };
    let explained = |error: ScoringError| match error {
        ScoringError::Store(error) => store_error(error),
        other => value_error(format!("judge: {other}")),
    };
    let read = scoring::judge_texts(store, run, by, &prompts, told).map_err(explained);
    told.or_broken_off(read)?;
    let answered = scoring::ask_judge(store, run, scores, by, told).map_err(explained);
    told.or_broken_off(answered)
}

/// Whether a judge of this name has read all texts of a run, and answered all that scores ask.
fn is_done(store: &Store, run: &Listed, judge: &str, scores: &[Score]) -> PyResult<bool> {
    let is_judge = |source: &Source| {
        let (Source::Local { model, .. } | Source::Server { model, .. }) = source;
        model == judge
    };
    if !run.judge.as_ref().is_some_and(is_judge) || run.n_judged < run.n_done {
        return Ok(false);
    }
    let asked: Vec<Score> = scores.iter().filter(|score| score.needs_judge()).cloned().collect();
    Ok(!scoring::is_open(store, run.id, &asked).map_err(store_error)?)
}

impl Watcher for Told {
    fn scored(&mut self, name: &str, done: usize, all: usize) -> ControlFlow<()> {
        self.at(name, done, all)
    }

    fn note(&mut self, sentence: &str) {
        let _ = self.tell(Some(sentence));
    }
}

/// Scores the texts of a run: what `kelvin.lab.score` calls, and `kelvin.ray.sweep` with `own`,
/// which runs the commands and asks the judge of the run's recipe.
#[pyfunction]
pub(crate) fn score_run(
    py: Python<'_>,
    run: &Run,
    scores: Option<Notations>,
    judge: Option<String>,
    own: bool,
    told: Py<PyAny>,
    how: How,
) -> PyResult<Run> {
    check_judge(judge.as_deref())?;
    let others = notation::read(scores)?;
    let mut told = Told::new(told);
    py.detach(|| {
        let mut store = run.store_to_write().map_err(store_error)?;
        let id = run.number();
        let recipe = store.show(id).map_err(store_error)?.recipe;
        let all = with_others(&recipe.scores, &others);
        run_commands(&mut store, id, if own { &all } else { &others }, &mut told)?;
        let judge = judge.as_deref().or(recipe.evaluation.judge().filter(|_| own));
        match judge.filter(|judge| *judge != NOBODY) {
            Some(judge) => ask_judge(&mut store, id, (judge, &all), &how, &mut told)?,
            None if others.iter().any(Score::needs_judge) => {
                return Err(PyValueError::new_err("a score asks a judge: name one with judge"));
            }
            None => {}
        }
        Run::of(&store, id)
    })
}
