//! `Run`: a run of the database, and the functions that list and report runs.

use std::path::PathBuf;

use kelvin_lab::{
    Store,
    export::{Batches, What},
    metrics,
    report::{self, Evidence, Options, Report, USUAL_TEXTS},
    run::Source,
    store::{Listed, RunId, StoreError},
};
use pyo3::{
    exceptions::{PyFileNotFoundError, PyLookupError, PyOSError, PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyCapsule, PyString},
};

use crate::{
    notation::{self, Notations},
    parts::value_error,
    table::Table,
};

/// A run of the database: a recipe and the texts that a sweep made of it.
///
/// Its texts are read when they are asked for. As a table it is `texts`: `polars.DataFrame(run)`.
///
/// Examples:
///     >>> run.seed, run.chains
///     (7, ['temp=0.5', 'temp=1', 'temp=2'])
#[pyclass(frozen, module = "kelvin.lab")]
#[derive(Debug)]
pub(crate) struct Run {
    path: PathBuf,
    listed: Listed,
}

impl Run {
    /// A run by its number.
    pub(crate) fn of(store: &Store, run: RunId) -> PyResult<Run> {
        let listed = store.show(run).map_err(store_error)?;
        Ok(Run { path: store.path().to_path_buf(), listed })
    }

    /// The number in the database.
    pub(crate) fn number(&self) -> RunId {
        self.listed.id
    }

    /// The database, to be read.
    fn store(&self) -> Result<Store, StoreError> {
        self.checked(Store::open_to_read(&self.path)?)
    }

    /// The database, to be written.
    pub(crate) fn store_to_write(&self) -> Result<Store, StoreError> {
        self.checked(Store::open(&self.path)?)
    }

    /// A database in which the number still means this run.
    fn checked(&self, store: Store) -> Result<Store, StoreError> {
        let is_there = store.show(self.listed.id).is_ok_and(|now| now.hash == self.listed.hash);
        if is_there {
            return Ok(store);
        }
        let hash = &self.listed.hash;
        let path = self.path.display();
        let problem = format!("run {} ({hash}) was removed from {path}", self.listed.id);
        Err(StoreError::Name { problem })
    }

    fn table(&self, py: Python<'_>, what: What) -> PyResult<Table> {
        py.detach(|| {
            let store = self.store().map_err(store_error)?;
            let batches = Batches::of_run(&store, self.listed.id, what);
            batches.map(Table::new).map_err(value_error)
        })
    }
}

#[pymethods]
impl Run {
    /// The number in the database.
    #[getter]
    fn id(&self) -> RunId {
        self.listed.id
    }

    /// The recipe's hash, hexadecimal: equal hashes mean equal texts.
    #[getter]
    fn hash(&self) -> &str {
        &self.listed.hash
    }

    /// The database.
    #[getter]
    fn db(&self) -> PathBuf {
        self.path.clone()
    }

    /// The model, as it was named.
    #[getter]
    fn model(&self) -> &str {
        let (Source::Local { model, .. } | Source::Server { model, .. }) = &self.listed.source;
        model
    }

    /// When it was begun, UTC.
    #[getter]
    fn created(&self) -> &str {
        &self.listed.created
    }

    /// The seed.
    #[getter]
    fn seed(&self) -> u64 {
        self.listed.recipe.seed
    }

    /// The prompts, in order.
    #[getter]
    fn prompts(&self) -> Vec<&str> {
        self.listed.recipe.prompts.iter().map(|prompt| &*prompt.text).collect()
    }

    /// The chains, in order.
    #[getter]
    fn chains(&self) -> Vec<String> {
        self.listed.recipe.chains.iter().map(ToString::to_string).collect()
    }

    /// Samples of each prompt with each chain.
    #[getter]
    fn samples(&self) -> usize {
        self.listed.recipe.samples
    }

    /// Every setting that decides the texts, as the hash is made of it.
    #[getter]
    fn recipe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (&self.listed.canonical,))
    }

    /// Texts that the recipe describes.
    #[getter]
    fn n_texts(&self) -> usize {
        self.listed.recipe.n_texts()
    }

    /// Texts that were missing when this object was made.
    #[getter]
    fn n_missing(&self) -> usize {
        self.n_texts().saturating_sub(self.listed.n_done)
    }

    /// A row for each text, with the columns of `kelvin runs export`.
    #[getter]
    fn texts(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, What::Texts)
    }

    /// A row for each token, with the columns of `kelvin runs export --what tokens`.
    #[getter]
    fn tokens(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, What::Tokens)
    }

    /// Metrics with 95 % intervals: a row for each metric and chain.
    ///
    /// Args:
    ///     names: metrics, as `kelvin report --help` lists them; those of the recipe, or else all.
    ///     against: the chain that the others are compared with; the one nearest to temp=1.
    ///     scores: scores besides those of the recipe: a dictionary of notations by name. Values of
    ///         commands and judges are those that kelvin.lab.score has stored.
    ///
    /// Returns:
    ///     Table. A metric without a value has its reason in the column `absent`.
    ///
    /// Raises:
    ///     ValueError: an unknown metric, chain or score, or a run without texts.
    ///
    /// Source: kelvin's book, docs/src/concepts/quality.md.
    ///
    /// Examples:
    ///     >>> run.metrics(["distinct_2", "surprisal"]).columns[:4]
    ///     ['metric', 'unit', 'chain', 'chain_text']
    #[pyo3(signature = (names = None, *, against = None, scores = None))]
    fn metrics(
        &self,
        py: Python<'_>,
        names: Option<Vec<String>>,
        against: Option<String>,
        scores: Option<Notations>,
    ) -> PyResult<Table> {
        let others = notation::read(scores)?;
        py.detach(|| {
            let store = self.store().map_err(store_error)?;
            let evidence = Evidence::load(&store, self.listed.id, &others).map_err(store_error)?;
            let names = names.unwrap_or_default();
            let recipes = [&evidence.recipe];
            let options = Options::asking(&names, &recipes, &others).map_err(value_error)?;
            let options = Options { against, texts: 0, ..options };
            let report = Report::new(&[evidence], &options, String::new()).map_err(value_error)?;
            Batches::of_report(&report).map(Table::new).map_err(value_error)
        })
    }

    /// The texts as a pyarrow.Table.
    ///
    /// Raises:
    ///     ImportError: pyarrow isn't installed.
    ///
    /// Examples:
    ///     >>> run.to_arrow().num_rows
    ///     6
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Table::to_arrow(&Bound::new(py, self.texts(py)?)?)
    }

    /// The types of the columns of `texts`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        self.texts(py)?.__arrow_c_schema__(py)
    }

    /// The rows of `texts`.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        self.texts(py)?.__arrow_c_stream__(py, requested_schema)
    }

    fn __len__(&self) -> usize {
        self.listed.n_done
    }

    fn __repr__(&self) -> String {
        let Run { listed, .. } = self;
        let recipe = &listed.recipe;
        let (prompts, chains) = (recipe.prompts.len(), recipe.chains.len());
        format!(
            "Run({}, {}, {}, prompts={prompts}, chains={chains}, samples={}, texts={} of {})",
            listed.id,
            &listed.hash[..8.min(listed.hash.len())],
            self.model(),
            recipe.samples,
            listed.n_done,
            recipe.n_texts(),
        )
    }
}

/// The database that is meant: the one that is named, KELVIN_DB, or the usual one.
pub(crate) fn place(db: Option<PathBuf>) -> PyResult<PathBuf> {
    let named = db.or_else(|| std::env::var_os("KELVIN_DB").map(PathBuf::from));
    match named {
        Some(path) if path.as_os_str().is_empty() => {
            Err(PyValueError::new_err("db is empty; give the path of a database"))
        }
        Some(path) => Ok(path),
        None => Store::usual_path().ok_or_else(|| {
            PyOSError::new_err("there is no folder for data on this machine: give db")
        }),
    }
}

/// An error of the database as Python's own kinds.
pub(crate) fn store_error(error: StoreError) -> PyErr {
    let words = error.to_string();
    match error {
        StoreError::Missing { .. } => PyFileNotFoundError::new_err(words),
        StoreError::Name { .. } => PyLookupError::new_err(words),
        StoreError::Removed { .. } => PyRuntimeError::new_err(words),
        StoreError::Newer { .. } | StoreError::Foreign { .. } | StoreError::Damaged { .. } => {
            PyValueError::new_err(words)
        }
        StoreError::Full { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Busy { .. }
        | StoreError::Other { .. } => PyOSError::new_err(words),
    }
}

/// All runs of a database, in the order in which they were begun.
///
/// Args:
///     db: the database; KELVIN_DB or the platform's data folder by default, as for the command.
///
/// Returns:
///     A list of Run; empty if there is no database yet.
///
/// Raises:
///     ValueError: not a database of runs, or a newer version's.
///     OSError: it can't be read.
///
/// Examples:
///     >>> [one.seed for one in kelvin.lab.runs(db)]
///     [7]
#[pyfunction]
#[pyo3(signature = (db = None))]
pub(crate) fn runs(py: Python<'_>, db: Option<PathBuf>) -> PyResult<Vec<Run>> {
    let path = place(db)?;
    if !path.exists() {
        return Ok(Vec::new());
    }
    py.detach(|| {
        let store = Store::open_to_read(&path).map_err(store_error)?;
        let listed = store.list().map_err(store_error)?;
        Ok(listed.into_iter().map(|listed| Run { path: path.clone(), listed }).collect())
    })
}

/// A run of a database, by its number, the first digits of its hash, or "last".
///
/// Raises:
///     LookupError: no such run, or several.
///     FileNotFoundError: there is no database yet.
///     ValueError, OSError: as runs.
///
/// Examples:
///     >>> kelvin.lab.run("last", db).id
///     1
#[pyfunction]
#[pyo3(signature = (name = None, db = None))]
pub(crate) fn run(
    py: Python<'_>,
    name: Option<&Bound<'_, PyAny>>,
    db: Option<PathBuf>,
) -> PyResult<Run> {
    let name = match name {
        None => "last".to_string(),
        Some(name) if name.is_instance_of::<PyString>() => name.extract()?,
        Some(number) => number.extract::<RunId>()?.to_string(),
    };
    let path = place(db)?;
    py.detach(|| {
        let store = Store::open_to_read(&path).map_err(store_error)?;
        Run::of(&store, store.find(&name).map_err(store_error)?)
    })
}

/// Metrics and figures of runs, as the text of an HTML or Markdown file.
#[pyfunction]
#[pyo3(signature = (runs, markdown, metrics, against, quality, diversity, scores,
                    texts = USUAL_TEXTS))]
#[allow(clippy::too_many_arguments, reason = "the keywords of a Python function")]
pub(crate) fn write_report(
    py: Python<'_>,
    runs: Vec<PyRef<'_, Run>>,
    markdown: bool,
    metrics: Vec<String>,
    against: Option<String>,
    quality: Option<String>,
    diversity: Option<String>,
    scores: Option<Notations>,
    texts: usize,
) -> PyResult<String> {
    let others = notation::read(scores)?;
    let runs: Vec<&Run> = runs.iter().map(|run| &**run).collect();
    py.detach(|| {
        let load = |run: &&Run| {
            run.store()
                .and_then(|store| Evidence::load(&store, run.listed.id, &others))
                .map_err(store_error)
        };
        let evidence = runs.iter().map(load).collect::<PyResult<Vec<_>>>()?;
        let recipes: Vec<_> = evidence.iter().map(|one| &one.recipe).collect();
        let own = report::own(&recipes, &others).map_err(value_error)?;
        let find = |name: &Option<String>| {
            name.as_ref().map(|name| metrics::find(name, &own)).transpose().map_err(value_error)
        };
        let (quality, diversity) = (find(&quality)?, find(&diversity)?);
        let options = Options::asking(&metrics, &recipes, &others).map_err(value_error)?;
        let options = Options { against, quality, diversity, texts, ..options };
        let report = Report::new(&evidence, &options, "kelvin.lab.report(…)".to_string());
        let report = report.map_err(value_error)?;
        Ok(if markdown { report::markdown(&report) } else { report::html(&report) })
    })
}
