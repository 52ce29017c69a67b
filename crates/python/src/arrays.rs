//! Numbers from Python: numpy arrays without a copy where their type fits, and whatever
//! `numpy.asarray` takes (lists, tensors on the CPU) with one.
//!
//! Refusals are `TypeError` for what isn't numbers and `ValueError` for numbers of the wrong shape.

use kelvin_engine::TokenId;
use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
    ndarray::{ArrayView1, ArrayViewD, Axis, Ix1, Ix2},
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

/// An array of any shape in one of the two float types that are computed with.
pub(crate) enum Numbers<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

/// Reads `given` as an array: f32 and f64 stay what they are, f16 becomes f32, integers and lists
/// become f64. `name` is the argument's name in errors.
pub(crate) fn numbers<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Numbers<'py>> {
    let array = untyped(given, name)?;
    if let Some(array) = own(&array)? {
        return Ok(Numbers::F32(array));
    }
    if let Some(array) = own(&array)? {
        return Ok(Numbers::F64(array));
    }
    let kind = char::from(array.dtype().kind());
    match (kind, array.dtype().itemsize()) {
        ('f', 2 | 4) => Ok(Numbers::F32(converted(&array, "float32")?)),
        ('f', 8) | ('i' | 'u', _) => Ok(Numbers::F64(converted(&array, "float64")?)),
        _ => Err(PyTypeError::new_err(format!(
            "{name} has the type {}, expected floats of 16, 32 or 64 bits or integers; convert \
             it with .astype(\"float32\")",
            array.dtype()
        ))),
    }
}

/// Reads `given` as f32, as logits are: other types of numbers are converted.
pub(crate) fn logits<'py>(
    given: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    match numbers(given, name)? {
        Numbers::F32(array) => Ok(array),
        Numbers::F64(array) => converted(array.as_untyped(), "float32"),
    }
}

/// The rows of an array of shape (vocab,) or (rows, vocab), and whether it was the former.
pub(crate) fn rows<'a>(
    array: ArrayViewD<'a, f32>,
    name: &str,
) -> PyResult<(Vec<ArrayView1<'a, f32>>, bool)> {
    let shape = array.shape().to_vec();
    match shape.len() {
        1 => {
            let row = array.into_dimensionality::<Ix1>().expect("it has one dimension");
            Ok((vec![row], true))
        }
        2 => {
            let rows = array.into_dimensionality::<Ix2>().expect("it has two dimensions");
            let n = rows.nrows();
            Ok(((0..n).map(|i| rows.index_axis_move(Axis(0), i)).collect(), false))
        }
        _ => Err(PyValueError::new_err(format!(
            "{name} has the shape {}, expected (vocab,) for one row or (rows, vocab) for a batch",
            shown(&shape)
        ))),
    }
}

/// A shape as Python writes it.
pub(crate) fn shown(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// `numpy.asarray(given)`, which copies no array.
fn untyped<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = given.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let array = given.py().import("numpy")?.call_method1("asarray", (given,)).map_err(|error| {
        let found = given.get_type().to_string();
        let refusal = format!("{name} is {found}, which numpy makes no array of: {error}");
        if error.is_instance_of::<PyValueError>(given.py()) {
            PyValueError::new_err(refusal)
        } else {
            PyTypeError::new_err(refusal)
        }
    })?;
    Ok(array.cast_into::<PyUntypedArray>()?)
}

/// The array itself, if its type and its place in memory are those of `T`.
fn own<'py, T: Element>(
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Option<PyReadonlyArrayDyn<'py, T>>> {
    let aligned: bool = array.getattr("flags")?.getattr("aligned")?.extract()?;
    match array.cast::<PyArrayDyn<T>>() {
        Ok(array) if aligned => Ok(Some(array.try_readonly().map_err(borrowed)?)),
        _ => Ok(None),
    }
}

fn converted<'py, T: Element>(
    array: &Bound<'py, PyUntypedArray>,
    dtype: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let array = array.call_method1("astype", (dtype,))?;
    array.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(borrowed)
}

fn borrowed(error: numpy::BorrowError) -> PyErr {
    PyValueError::new_err(format!("the array is being written to: {error}"))
}

/// Token ids from a list, an array or any sequence of integers.
pub(crate) fn token_ids(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<TokenId>> {
    if let Ok(ids) = given.extract::<Vec<u32>>() {
        return Ok(ids.into_iter().map(TokenId).collect());
    }
    let refusal = |found: String| {
        PyTypeError::new_err(format!(
            "{name} is {found}, expected token ids: integers from 0 to {} in one dimension",
            u32::MAX
        ))
    };
    let array = untyped(given, name)?;
    if array.shape() == [0] {
        return Ok(Vec::new());
    }
    if array.ndim() != 1 || !['i', 'u'].contains(&char::from(array.dtype().kind())) {
        let shape = shown(array.shape());
        return Err(refusal(format!("an array of {} with the shape {shape}", array.dtype())));
    }
    let ids = array.call_method0("tolist")?.extract::<Vec<i128>>()?;
    let id = |id: i128| u32::try_from(id).map(TokenId);
    ids.iter()
        .map(|&found| {
            id(found).map_err(|_| {
                PyValueError::new_err(format!(
                    "{name} has the token id {found}, expected 0 to {}",
                    u32::MAX
                ))
            })
        })
        .collect()
}
