//! Rows of `views` as Python objects: dictionaries, lists, numbers and texts.

use pyo3::prelude::*;
use serde::Serialize;

use crate::parts::value_error;

/// What JSON says of `row`, as Python reads it.
pub(crate) fn object<'py>(py: Python<'py>, row: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(row).map_err(value_error)?;
    py.import("json")?.call_method1("loads", (text,))
}
