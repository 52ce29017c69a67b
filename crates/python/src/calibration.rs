//! `Calibration`: temperatures of decisions that were fitted on labelled examples.

use std::{fs, path::PathBuf};

use kelvin_lab::calibration::{self, CalibrationError, reliability};
use pyo3::{
    exceptions::{PyFileNotFoundError, PyOSError},
    prelude::*,
    types::PyDict,
};

use crate::{json, parts::value_error};

/// Temperatures of decisions by the kind of question, for one model and one way of asking.
///
/// `Model.calibrate` fits one, `Calibration.open` reads the file that `save` or `kelvin calibrate`
/// wrote. In a notebook it shows reliability before and after.
///
/// Examples:
///     >>> examples = [{"input": str(i), "answer": i % 3 == 0} for i in range(60)]
///     >>> calibration = model.calibrate(examples, "It is a multiple of 3.", rotations=2)
///     >>> calibration.figures["predicate"]["n"]
///     60
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Calibration(pub(crate) calibration::Calibration);

#[pymethods]
impl Calibration {
    /// Reads a calibration's file.
    ///
    /// Args:
    ///     path: the file.
    ///
    /// Returns:
    ///     Calibration.
    ///
    /// Raises:
    ///     FileNotFoundError: there is no such file.
    ///     ValueError: it is no calibration.
    ///
    /// Examples:
    ///     >>> examples = [{"input": str(i), "answer": i % 3 == 0} for i in range(60)]
    ///     >>> model.calibrate(examples, "It is a multiple of 3.").save(new)
    ///     >>> sorted(kelvin.Calibration.open(new).temperatures)
    ///     ['predicate']
    #[staticmethod]
    fn open(path: PathBuf) -> PyResult<Calibration> {
        Calibration::read(&path)
    }

    /// Writes the file that decide, `kelvin decide` and `kelvin serve` take.
    ///
    /// Raises:
    ///     OSError: it can't be written.
    ///
    /// Examples:
    ///     >>> examples = [{"input": str(i), "answer": i % 3 == 0} for i in range(60)]
    ///     >>> model.calibrate(examples, "It is a multiple of 3.").save(new)
    fn save(&self, path: PathBuf) -> PyResult<()> {
        fs::write(path, self.0.text()).map_err(PyErr::from)
    }

    /// Figures and reliability diagrams as the text of an HTML file.
    ///
    /// Examples:
    ///     >>> examples = [{"input": str(i), "answer": i % 3 == 0} for i in range(60)]
    ///     >>> model.calibrate(examples, "It is a multiple of 3.").report().count("<svg")
    ///     1
    fn report(&self) -> String {
        calibration::html(&self.0)
    }

    /// The name of the model.
    #[getter]
    fn model(&self) -> &str {
        &self.0.model
    }

    /// SHA-256 of its files.
    #[getter]
    fn sha256(&self) -> &str {
        &self.0.sha256
    }

    /// T of each kind: a dictionary.
    #[getter]
    fn temperatures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for (kind, judged) in &self.0.kinds {
            found.set_item(kind, judged.fit.temperature)?;
        }
        Ok(found)
    }

    /// What each kind's temperature is worth, with intervals, as the file has it.
    #[getter]
    fn figures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::object(py, &self.0.kinds)
    }

    fn __repr__(&self) -> String {
        let one = |(kind, judged): (&String, &calibration::Judged)| {
            let (t, n) = (judged.fit.temperature, judged.n);
            let (before, after) = (judged.before.ece.value, judged.after.ece.value);
            format!(
                "{kind}: T = {t:.3}, {n} examples, calibration error {before:.3} before and \
                 {after:.3} after"
            )
        };
        let kinds: Vec<String> = self.0.kinds.iter().map(one).collect();
        format!("Calibration({})", kinds.join("; "))
    }

    fn _repr_html_(&self) -> String {
        let one = |(kind, judged): (&String, &calibration::Judged)| {
            let (t, n) = (judged.fit.temperature, judged.n);
            format!("<div><div>{kind}: T = {t:.3}, {n} examples</div>{}</div>", reliability(judged))
        };
        format!("<div>{}</div>", self.0.kinds.iter().map(one).collect::<String>())
    }
}

impl Calibration {
    /// Reads a file.
    pub(crate) fn read(path: &std::path::Path) -> PyResult<Calibration> {
        calibration::Calibration::open(path).map(Calibration).map_err(|error| match error {
            CalibrationError::Text(_) if !path.exists() => {
                PyFileNotFoundError::new_err(error.to_string())
            }
            CalibrationError::Text(_) => PyOSError::new_err(error.to_string()),
            other => value_error(other),
        })
    }
}
