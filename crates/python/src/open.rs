//! Opens a model by its name, path or file of the hub.

use std::path::PathBuf;

use kelvin_engine::{Engine, transformer::ModelOptions};
use kelvin_models::{
    Dialog, Progress,
    catalogue::Reference,
    fetch::{self, Permissions},
};
use pyo3::{exceptions::PyFileNotFoundError, prelude::*};

use crate::parts::value_error;

/// The model and its file, which is fetched if it has a name and isn't here.
pub(crate) fn open(
    py: Python<'_>,
    source: &str,
    threads: usize,
    may: Permissions,
) -> PyResult<(Engine, PathBuf)> {
    let reference = Reference::writer(source).map_err(value_error)?;
    if let Reference::Path(path) = &reference
        && !path.exists()
    {
        let problem = format!("there is no model file {}", path.display());
        return Err(PyFileNotFoundError::new_err(problem));
    }
    let path = py.detach(|| fetch::ensure(&reference, may, &Log));
    let path = path.map_err(|error| value_error(format!("{error:#}")))?;
    let options = ModelOptions { threads, ..ModelOptions::default() };
    let engine = py.detach(|| Engine::open(&path, &options, &mut |_, _| {}));
    let engine =
        engine.map_err(|error| value_error(format!("can't use {}: {error}", path.display())))?;
    Ok((engine, path))
}

/// Tells what fetching a model has to say to the logger `kelvin`.
struct Log;

impl Dialog for Log {
    fn note(&self, sentence: &str) {
        Python::attach(|py| {
            // Without a logger nobody listens, which is no reason not to fetch.
            let logger =
                py.import("logging").and_then(|l| l.call_method1("getLogger", ("kelvin",)));
            let _ = logger.and_then(|logger| logger.call_method1("info", ("%s", sentence)));
        });
    }

    fn accepts_terms(&self) -> anyhow::Result<Option<bool>> {
        Ok(None)
    }

    fn begin(&self, _: u64) -> Box<dyn Progress> {
        Box::new(Log)
    }
}

impl Progress for Log {
    fn set(&self, _: u64) {}
}
