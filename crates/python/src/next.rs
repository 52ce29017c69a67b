//! `Next`: what could come next after a prompt.

use numpy::PyArray1;
use pyo3::prelude::*;

use crate::draws::Survivors;

/// What could come next after a prompt.
///
/// logits are the model's own, f32, shape (vocab,). survivors is what the chain leaves, token the
/// one that the dice draw, and view all figures as `kelvin next --json` names them.
///
/// Examples:
///     >>> what = model.next("Hi", "temp=0")
///     >>> what.token == int(what.logits.argmax())
///     True
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Next {
    /// The model's own logits, f32, shape (vocab,).
    pub(crate) logits: Py<PyArray1<f32>>,
    /// What the chain leaves.
    pub(crate) survivors: Py<Survivors>,
    /// What the dice draw.
    pub(crate) token: u32,
    /// All figures, as `kelvin next --json` names them.
    pub(crate) view: Py<PyAny>,
    /// The chain.
    pub(crate) chain: String,
}

#[pymethods]
impl Next {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.survivors.bind(py).repr()?.extract()
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        self.survivors.bind(py).call_method0("_repr_html_")?.extract()
    }
}
