//! Rows that cross machines: what `kelvin.ray` hands to workers, and what comes back.
//!
//! A `Job` is a recipe as JSON, a `RowWorker` an open model that finishes rows by their numbers.
//! Finished rows are Parquet files in memory, which a database takes in.

use std::{
    collections::HashSet,
    ops::ControlFlow,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use kelvin_engine::{Engine, source};
use kelvin_lab::{
    Store,
    job::JobError,
    rows::{self, Reader, RowsError, Taking},
    run::Source,
    worker::{Row, WorkerError},
};
use kelvin_models::{catalogue::Reference, fetch::Permissions};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError},
    prelude::*,
    types::PyBytes,
};

use crate::{
    open::{self, Opened},
    parts::value_error,
    run::{Run, place, store_error},
    scoring::check_judge,
    worker::draft,
};

/// A recipe and the model file of its texts, as JSON for other machines.
///
/// Rows have numbers from 0, by prompt, then chain, then sample.
///
/// Args:
///     json: what the property `json` of another Job has.
///
/// Raises:
///     ValueError: not the JSON of a job.
#[pyclass(frozen, module = "kelvin._kelvin")]
#[derive(Debug)]
pub(crate) struct Job(rows::Job);

#[pymethods]
impl Job {
    #[new]
    fn new(json: &str) -> PyResult<Job> {
        Ok(Job(rows::Job::read(json).map_err(job_error)?))
    }

    /// The job of a recipe's file and the fields over it. Its model file isn't known yet.
    #[staticmethod]
    fn of(recipe: Option<PathBuf>, fields: &str) -> PyResult<Job> {
        let recipe = draft(recipe.as_deref(), fields)?.resolve().map_err(value_error)?;
        check_judge(recipe.evaluation.judge())?;
        Ok(Job(rows::Job::of_unknown_file(recipe).map_err(job_error)?))
    }

    /// The job with the SHA-256 of its model file.
    ///
    /// None if the file isn't on this machine. With `fetch` it is fetched then.
    fn identified(
        &self,
        py: Python<'_>,
        fetch: bool,
        offline: bool,
        accept_terms: bool,
    ) -> PyResult<Option<Job>> {
        let Source::Local { model, sha256 } = self.0.source() else {
            return Err(PyValueError::new_err("the texts of this job come from a server"));
        };
        let known = |sha256: String| {
            let source = Source::Local { model: model.clone(), sha256 };
            Job(rows::Job::new(self.0.recipe().clone(), source))
        };
        if !sha256.is_empty() {
            return Ok(Some(known(sha256.clone())));
        }
        let reference = Reference::writer(model).map_err(value_error)?;
        if let Some(sha256) = reference.sha256() {
            return Ok(Some(known(sha256.to_string())));
        }
        let is_here = matches!(&reference, Reference::Path(path) if path.exists());
        if !(fetch || is_here) {
            return Ok(None);
        }
        let may = Permissions { offline, accept_terms };
        let sha256 = py.detach(|| {
            let (reference, path) = open::locate(model, may)?;
            let files = source::open(&path, None).map_err(|error| open::unusable(&path, &error))?;
            open::sha256(&reference, files.paths(), &path)
        });
        Ok(Some(known(sha256?)))
    }

    /// All that another machine needs to know.
    #[getter]
    fn json(&self) -> String {
        self.0.to_json()
    }

    /// The recipe's hash.
    #[getter]
    fn hash(&self) -> &str {
        self.0.hash()
    }

    /// The number of rows.
    #[getter]
    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }

    /// Samples of each prompt with each chain.
    #[getter]
    fn samples(&self) -> usize {
        self.0.recipe().samples
    }

    /// Prompt, chain and sample of a row, each from 0.
    fn row(&self, id: usize) -> PyResult<(usize, usize, usize)> {
        let Row { prompt, chain, sample } = self.find(id)?;
        Ok((prompt, chain, sample))
    }

    /// The number of a row; None if the table doesn't have it.
    fn id(&self, prompt: usize, chain: usize, sample: usize) -> Option<usize> {
        self.0.id(Row { prompt, chain, sample })
    }

    /// The rows that aren't done, in blocks of at most `size` that keep a prompt together.
    fn blocks(&self, done: HashSet<usize>, size: usize) -> Vec<Vec<usize>> {
        self.0.blocks(&done, size)
    }
}

impl Job {
    fn find(&self, id: usize) -> PyResult<Row> {
        self.0.row(id).ok_or_else(|| {
            PyValueError::new_err(format!("there is no row {id}; the job has {}", self.0.n_rows()))
        })
    }
}

/// An open model that finishes rows of a job.
///
/// Args:
///     job: a Job whose model file is known.
///     threads: 0 means all cores.
///     width: texts that run at once.
///     offline, accept_terms: as for Model.
///
/// Raises:
///     ValueError: a model that can't be used, or another file than the job's.
///     FileNotFoundError: no such file.
#[pyclass(frozen, module = "kelvin._kelvin")]
#[derive(Debug)]
pub(crate) struct RowWorker(Mutex<rows::RowWorker<Box<Engine>>>);

/// A file of rows in memory; its tokens; rows without a text, and why the first has none.
type Finished<'py> = (Bound<'py, PyBytes>, usize, usize, Option<String>);

#[pymethods]
impl RowWorker {
    #[new]
    fn new(
        py: Python<'_>,
        job: &Job,
        threads: usize,
        width: usize,
        offline: bool,
        accept_terms: bool,
    ) -> PyResult<RowWorker> {
        let Source::Local { model, sha256: expected } = job.0.source() else {
            return Err(PyValueError::new_err("the texts of this job come from a server"));
        };
        let may = Permissions { offline, accept_terms };
        py.detach(|| {
            let Opened { engine, path, reference } = open::open(model, threads, may)?;
            let found = open::sha256(&reference, &engine.files, &path)?;
            if found != *expected {
                return Err(PyValueError::new_err(format!(
                    "{} has the SHA-256 {found}, but the sweep's model file has {expected}: put the \
                     same file on every machine",
                    path.display()
                )));
            }
            let worker = rows::RowWorker::new(Box::new(engine), job.0.clone(), width);
            Ok(RowWorker(Mutex::new(worker)))
        })
    }

    /// Finishes rows: a Parquet file of them, the number of its tokens, how many rows have no text,
    /// and why the first of these has none.
    ///
    /// Raises:
    ///     ValueError: a number that the job doesn't have.
    ///     RuntimeError: the model can't go on.
    ///     KeyboardInterrupt: Ctrl-C, between two steps.
    fn finish<'py>(&self, py: Python<'py>, ids: Vec<usize>) -> PyResult<Finished<'py>> {
        let finished = py.detach(|| {
            let mut worker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let job = Job(worker.job().clone());
            let asked = ids.iter().map(|&id| job.find(id)).collect::<PyResult<Vec<Row>>>()?;
            let mut raised = None;
            let finished =
                worker.finish(&asked, &mut |_| match Python::attach(|py| py.check_signals()) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        raised.get_or_insert(error);
                        ControlFlow::Break(())
                    }
                });
            let finished = finished.map_err(worker_error)?;
            if finished.len() < asked.iter().collect::<HashSet<_>>().len() {
                let unknown = || PyKeyboardInterrupt::new_err("the work was broken off");
                return Err(raised.unwrap_or_else(unknown));
            }
            let data = rows::write(Vec::new(), &job.0, &finished, false).map_err(rows_error)?;
            Ok((data, finished))
        });
        let (data, finished) = finished?;
        let texts = finished.iter().filter_map(|row| row.outcome.as_ref().ok());
        let n_tokens = texts.map(|(sample, _)| sample.tokens.len()).sum();
        let errors = || finished.iter().filter_map(|row| row.outcome.as_ref().err());
        Ok((PyBytes::new(py, &data), n_tokens, errors().count(), errors().next().cloned()))
    }
}

/// The run of a job in a database, and the numbers of the rows that it has. The run is begun if it
/// isn't there.
#[pyfunction]
#[pyo3(signature = (db, job))]
pub(crate) fn run_of_rows(
    py: Python<'_>,
    db: Option<PathBuf>,
    job: &Job,
) -> PyResult<(Run, Vec<usize>)> {
    let path = place(db)?;
    py.detach(|| {
        let mut store = Store::open(&path).map_err(store_error)?;
        let (recipe, source) = (job.0.recipe(), job.0.source());
        let run = store.begin(recipe, source, env!("CARGO_PKG_VERSION")).map_err(store_error)?;
        let present = store.present(run).map_err(store_error)?;
        let id = |&(prompt, chain, sample): &(usize, usize, usize)| job.id(prompt, chain, sample);
        let mut ids: Vec<usize> = present.iter().filter_map(id).collect();
        ids.sort_unstable();
        Ok((Run::of(&store, run)?, ids))
    })
}

/// Stores a file of rows, which is in memory: how many texts are new, how many rows have no text,
/// and why the first of these has none. `name` is what errors call the file.
#[pyfunction]
pub(crate) fn take_rows(
    py: Python<'_>,
    db: Option<PathBuf>,
    job: &Job,
    name: &str,
    data: Vec<u8>,
) -> PyResult<(usize, usize, Option<String>)> {
    let path = place(db)?;
    py.detach(|| {
        let mut store = Store::open(&path).map_err(store_error)?;
        let mut taking =
            Taking::begin(&mut store, &job.0, env!("CARGO_PKG_VERSION")).map_err(rows_error)?;
        taking.take(Reader::of_bytes(data, name).map_err(rows_error)?).map_err(rows_error)?;
        let taken = taking.end().map_err(rows_error)?;
        Ok((taken.n_new, taken.n_errors, taken.first_error))
    })
}

fn worker_error(error: WorkerError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

fn job_error(error: JobError) -> PyErr {
    rows_error(error.into())
}

fn rows_error(error: RowsError) -> PyErr {
    match error {
        RowsError::Store(error) => store_error(error),
        RowsError::Write(problem) => PyRuntimeError::new_err(problem),
        RowsError::Job(_) | RowsError::File { .. } => value_error(error),
    }
}
