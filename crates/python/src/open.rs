//! Opens a model by its name, path or file of the hub.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use kelvin_engine::{Engine, gguf::Metadata, source, transformer::ModelOptions};
use kelvin_models::{
    Dialog, Progress,
    catalogue::Reference,
    fetch::{self, Permissions},
    verify,
};
use pyo3::{exceptions::PyFileNotFoundError, prelude::*};

use crate::{functions::Raised, parts::value_error};

/// An open model.
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) path: PathBuf,
    /// As its user named it.
    pub(crate) reference: Reference,
}

/// Opens a model. To be called with the interpreter released.
pub(crate) fn open(source: &str, threads: usize, may: Permissions) -> PyResult<Opened> {
    let (reference, path) = locate(source, may)?;
    let options = ModelOptions { threads, ..ModelOptions::default() };
    let engine = Engine::open(&path, &options, &mut |_, _| {});
    let engine = engine.map_err(|error| unusable(&path, &error))?;
    Ok(Opened { engine, path, reference })
}

/// The metadata of a model's file, without its weights. To be called with the interpreter released.
pub(crate) fn metadata(source: &str, may: Permissions) -> PyResult<Metadata> {
    let (_, path) = locate(source, may)?;
    let file = source::open(&path, None).map_err(|error| unusable(&path, &error))?;
    Ok(file.metadata)
}

pub(crate) fn unusable(path: &Path, error: &dyn std::error::Error) -> PyErr {
    value_error(format!("can't use {}: {error}", path.display()))
}

/// The SHA-256 of a model's files, which names it in recipes. The catalogue has that of its files.
pub(crate) fn sha256(reference: &Reference, files: &[PathBuf], path: &Path) -> PyResult<String> {
    match reference.sha256() {
        Some(known) => Ok(known.to_string()),
        None => verify::sha256_of_model(files, None)
            .map_err(|error| value_error(format!("can't read {}: {error}", path.display()))),
    }
}

/// A model's file, which is fetched if it has a name and isn't here.
pub(crate) fn locate(source: &str, may: Permissions) -> PyResult<(Reference, PathBuf)> {
    let reference = Reference::writer(source).map_err(value_error)?;
    if let Reference::Path(path) = &reference
        && !path.exists()
    {
        let problem = format!("there is no model file {}", path.display());
        return Err(PyFileNotFoundError::new_err(problem));
    }
    let log = Log::default();
    let path = fetch::ensure(&reference, may, &log);
    let told = |error| log.0.take().unwrap_or_else(|| value_error(format!("{error:#}")));
    Ok((reference, path.map_err(told)?))
}

/// Tells what fetching a model has to say to the logger `kelvin`, shows a bar where somebody sees
/// it, and listens for Ctrl-C. What Python raises ends the download.
#[derive(Default)]
struct Log(Raised);

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

    fn begin(&self, total: u64) -> Box<dyn Progress> {
        let bar = Python::attach(|py| {
            let lab = py.import("kelvin.lab")?;
            Ok(lab.call_method1("_download_bar", (total,))?.unbind())
        });
        let bar = bar.map_err(|error| self.0.keep(error)).ok();
        Box::new(Bar { bar, raised: self.0.clone() })
    }
}

/// The bar of one download; Python's None where nobody would see it.
struct Bar {
    bar: Option<Py<PyAny>>,
    raised: Raised,
}

impl Progress for Bar {
    fn set(&self, n_bytes: u64) -> ControlFlow<()> {
        let told = Python::attach(|py| {
            py.check_signals()?;
            match &self.bar {
                Some(bar) if !bar.is_none(py) => bar.call_method1(py, "set", (n_bytes,)).map(drop),
                _ => Ok(()),
            }
        });
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised.keep(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        Python::attach(|py| {
            if let Some(bar) = self.bar.as_ref().filter(|bar| !bar.is_none(py)) {
                // A bar that can't be closed is no reason to lose the model.
                let _ = bar.call_method0(py, "close");
            }
        });
    }
}
