//! `Table`: rows of a run as Arrow, handed to data frame libraries through the PyCapsule interface.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_schema::ffi::FFI_ArrowSchema;
use kelvin_lab::export::Batches;
use pyo3::{prelude::*, types::PyCapsule};

use crate::parts::value_error;

/// A table: rows of texts, tokens or metrics of a run.
///
/// pandas, polars, pyarrow and duckdb take it without a copy, through the Arrow PyCapsule
/// interface: `polars.DataFrame(table)`, `pyarrow.table(table)`.
///
/// Source: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
///
/// Examples:
///     >>> run.texts.columns[:4], len(run.texts)
///     (['prompt', 'chain', 'sample', 'prompt_text'], 6)
#[pyclass(frozen, module = "kelvin.lab")]
#[derive(Debug)]
pub(crate) struct Table(Batches);

impl Table {
    pub(crate) fn new(batches: Batches) -> Table {
        Table(batches)
    }
}

#[pymethods]
impl Table {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.n_rows()
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows: {})", self.0.n_rows(), self.columns().join(", "))
    }

    /// The table as a pyarrow.Table, which shares its memory.
    ///
    /// Raises:
    ///     ImportError: pyarrow isn't installed.
    ///
    /// Examples:
    ///     >>> run.texts.to_arrow().num_rows
    ///     6
    pub(crate) fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.call_method1("table", (slf,))
    }

    /// The types of the columns as a capsule `arrow_schema`.
    pub(crate) fn __arrow_c_schema__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.0.schema).map_err(value_error)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// The rows as a capsule `arrow_array_stream`. Another schema that is asked for is ignored, as
    /// the interface allows.
    #[pyo3(signature = (requested_schema = None))]
    pub(crate) fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let stream = FFI_ArrowArrayStream::new(Box::new(self.0.reader()));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}
