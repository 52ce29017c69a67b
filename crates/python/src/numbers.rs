//! Softmax with a temperature and its figures over arrays of any shape.
//!
//! Each function works along one axis. Everything is computed in f64; f32 arrays give f32.

use numpy::{
    Element, IntoPyArray, PyReadonlyArrayDyn,
    ndarray::{ArrayD, ArrayViewD, Axis, IxDyn},
};
use pyo3::{
    exceptions::{PyIndexError, PyValueError},
    prelude::*,
};

use crate::arrays::{Numbers, numbers, shown};

/// A float type of arrays.
trait Float: Element + Copy + Send + Sync {
    fn to_f64(self) -> f64;
    fn of_f64(number: f64) -> Self;
}

impl Float for f32 {
    fn to_f64(self) -> f64 {
        self.into()
    }

    fn of_f64(number: f64) -> f32 {
        number as f32
    }
}

impl Float for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn of_f64(number: f64) -> f64 {
        number
    }
}

/// Which figure of a distribution is asked for.
#[derive(Clone, Copy)]
enum Figure {
    Entropy,
    EffectiveChoices,
    FreeEnergy,
    HeatCapacity,
}

/// exp(x_i/t) / Σ exp(x_j/t): the probabilities of logits at a temperature.
///
/// Args:
///     xs: logits, any shape: floats or integers, an array or lists. -inf masks one.
///     t: temperature, from 0 (greedy: the first of the largest) to inf (uniform).
///     axis: the axis that a distribution is along.
///
/// Returns:
///     Probabilities in the shape of xs; f32 for f16 and f32, else f64. Computed in f64.
///
/// Raises:
///     ValueError: NaN, +inf, nothing or only -inf along the axis; a bad temperature.
///     IndexError: no such axis.
///     TypeError: not numbers.
///
/// Source: Boltzmann 1868; Bridle 1990 for the name.
///
/// Examples:
///     >>> kelvin.softmax([1.0, 2.0])
///     array([0.26894142, 0.73105858])
///     >>> kelvin.softmax([[1.0, 2.0], [3.0, 3.0]], t=2.0)
///     array([[0.37754067, 0.62245933],
///            [0.5       , 0.5       ]])
#[pyfunction]
#[pyo3(signature = (xs, t = 1.0, axis = -1))]
pub(crate) fn softmax<'py>(
    py: Python<'py>,
    xs: &Bound<'py, PyAny>,
    t: f64,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    check_temperature(t)?;
    match numbers(xs, "xs")? {
        Numbers::F32(array) => probabilities(py, array, t, axis),
        Numbers::F64(array) => probabilities(py, array, t, axis),
    }
}

/// softmax(xs, t) along the last axis: the function of the article that Kelvin starts from.
///
/// Args:
///     xs: logits, any shape, as in softmax.
///     t: temperature, from 0 to inf.
///
/// Returns:
///     Probabilities in the shape of xs.
///
/// Raises:
///     ValueError, TypeError: as softmax.
///
/// Source: as softmax.
///
/// Examples:
///     >>> kelvin.softmax_t([1.0, 2.0], 5.0)
///     array([0.450166, 0.549834])
#[pyfunction]
pub(crate) fn softmax_t<'py>(
    py: Python<'py>,
    xs: &Bound<'py, PyAny>,
    t: f64,
) -> PyResult<Bound<'py, PyAny>> {
    softmax(py, xs, t, -1)
}

macro_rules! figure {
    ($(#[$doc:meta])* $name:ident, $figure:expr) => {
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (xs, t = 1.0, axis = -1))]
        pub(crate) fn $name<'py>(
            py: Python<'py>,
            xs: &Bound<'py, PyAny>,
            t: f64,
            axis: isize,
        ) -> PyResult<Bound<'py, PyAny>> {
            check_temperature(t)?;
            match numbers(xs, "xs")? {
                Numbers::F32(array) => figures(py, array, t, axis, $figure),
                Numbers::F64(array) => figures(py, array, t, axis, $figure),
            }
        }
    };
}

figure! {
    /// H = -Σ p ln p of softmax(xs, t), in nats.
    ///
    /// Args:
    ///     xs: logits, any shape: floats or integers, an array or lists. -inf masks one.
    ///     t: temperature, from 0 (greedy: the first of the largest) to inf (uniform).
    ///     axis: the axis that a distribution is along.
    ///
    /// Returns:
    ///     One number for each distribution: the shape of xs without the axis; from 0 to ln n.
    ///
    /// Raises:
    ///     ValueError: NaN, +inf, nothing or only -inf along the axis; a bad temperature.
    ///     IndexError: no such axis.
    ///     TypeError: not numbers.
    ///
    /// Source: Shannon 1948.
    ///
    /// Examples:
    ///     >>> kelvin.entropy([[0.0, 0.0], [9.0, 0.0]])
    ///     array([0.69314718, 0.00123395])
    entropy, Figure::Entropy
}

figure! {
    /// exp H of softmax(xs, t): how many equally likely entries would be as uncertain.
    ///
    /// Args:
    ///     xs: logits, any shape: floats or integers, an array or lists. -inf masks one.
    ///     t: temperature, from 0 (greedy: the first of the largest) to inf (uniform).
    ///     axis: the axis that a distribution is along.
    ///
    /// Returns:
    ///     One number for each distribution: the shape of xs without the axis; from 1 to n.
    ///
    /// Raises:
    ///     ValueError: NaN, +inf, nothing or only -inf along the axis; a bad temperature.
    ///     IndexError: no such axis.
    ///     TypeError: not numbers.
    ///
    /// Source: Hill 1973, the number of order 1.
    ///
    /// Examples:
    ///     >>> print(round(float(kelvin.effective_choices([3.0, 3.0, -9.0])), 4))
    ///     2.0001
    effective_choices, Figure::EffectiveChoices
}

figure! {
    /// F = -t ln Σ exp(x/t), in logits: -max at t = 0, and -inf at t = inf if there is a choice.
    ///
    /// Args:
    ///     xs: logits, any shape: floats or integers, an array or lists. -inf masks one.
    ///     t: temperature, from 0 (greedy: the first of the largest) to inf (uniform).
    ///     axis: the axis that a distribution is along.
    ///
    /// Returns:
    ///     One number for each distribution: the shape of xs without the axis; in logits.
    ///
    /// Raises:
    ///     ValueError: NaN, +inf, nothing or only -inf along the axis; a bad temperature.
    ///     IndexError: no such axis.
    ///     TypeError: not numbers.
    ///
    /// Source: Gibbs 1902, with -x as the energy.
    ///
    /// Examples:
    ///     >>> print(round(float(kelvin.free_energy([0.0, 0.0], t=2.0)), 6))
    ///     -1.386294
    free_energy, Figure::FreeEnergy
}

figure! {
    /// C = Var_p(x)/t², in nats: how much the entropy changes with ln t.
    ///
    /// Args:
    ///     xs: logits, any shape: floats or integers, an array or lists. -inf masks one.
    ///     t: temperature, from 0 (greedy: the first of the largest) to inf (uniform).
    ///     axis: the axis that a distribution is along.
    ///
    /// Returns:
    ///     One number for each distribution: the shape of xs without the axis; in nats,
    ///         0 at t = 0 and t = inf.
    ///
    /// Raises:
    ///     ValueError: NaN, +inf, nothing or only -inf along the axis; a bad temperature.
    ///     IndexError: no such axis.
    ///     TypeError: not numbers.
    ///
    /// Source: Gibbs 1902, fluctuations of energy.
    ///
    /// Examples:
    ///     >>> print(round(float(kelvin.heat_capacity([0.0, 1.0])), 6))
    ///     0.196612
    heat_capacity, Figure::HeatCapacity
}

fn probabilities<'py, T: Float>(
    py: Python<'py>,
    array: PyReadonlyArrayDyn<'py, T>,
    t: f64,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    let view = array.as_array();
    let axis = check_axis(view.shape(), axis)?;
    let out: Result<ArrayD<T>, Vec<f64>> = py.detach(|| {
        let mut out = view.map(|_| T::of_f64(0.0));
        for (from, mut to) in view.lanes(axis).into_iter().zip(out.lanes_mut(axis)) {
            let xs: Vec<f64> = from.iter().map(|x| x.to_f64()).collect();
            let ps = kelvin_sampling::softmax(&xs, t).ok_or(xs)?;
            to.iter_mut().zip(ps).for_each(|(to, p)| *to = T::of_f64(p));
        }
        Ok(out)
    });
    Ok(out.map_err(|xs| bad(&xs))?.into_pyarray(py).into_any())
}

fn figures<'py, T: Float>(
    py: Python<'py>,
    array: PyReadonlyArrayDyn<'py, T>,
    t: f64,
    axis: isize,
    figure: Figure,
) -> PyResult<Bound<'py, PyAny>> {
    let view = array.as_array();
    let axis = check_axis(view.shape(), axis)?;
    let out = py.detach(|| of_lanes(view, t, axis, figure)).map_err(|xs| bad(&xs))?;
    if out.ndim() == 0 {
        // A number, as numpy's own reductions give.
        return out
            .into_pyarray(py)
            .call_method1("__getitem__", (pyo3::types::PyTuple::empty(py),));
    }
    Ok(out.into_pyarray(py).into_any())
}

fn of_lanes<T: Float>(
    view: ArrayViewD<'_, T>,
    t: f64,
    axis: Axis,
    figure: Figure,
) -> Result<ArrayD<T>, Vec<f64>> {
    let mut out = Vec::with_capacity(view.lanes(axis).into_iter().len());
    for lane in view.lanes(axis) {
        let xs: Vec<f64> = lane.iter().map(|x| x.to_f64()).collect();
        let Some(all) = kelvin_sampling::thermal(&xs, t) else { return Err(xs) };
        out.push(T::of_f64(match figure {
            Figure::Entropy => all.entropy,
            Figure::EffectiveChoices => all.entropy.exp(),
            Figure::FreeEnergy => all.free_energy,
            Figure::HeatCapacity => all.heat_capacity,
        }));
    }
    let mut shape = view.shape().to_vec();
    shape.remove(axis.0);
    Ok(ArrayD::from_shape_vec(IxDyn(&shape), out).expect("one number for each lane"))
}

/// The axis counted from 0.
fn check_axis(shape: &[usize], axis: isize) -> PyResult<Axis> {
    let n = shape.len();
    let from_start = if axis < 0 { axis + n as isize } else { axis };
    match usize::try_from(from_start).ok().filter(|&place| place < n) {
        Some(place) => Ok(Axis(place)),
        None if n == 0 => {
            Err(PyValueError::new_err("xs is a single number; a softmax is over several"))
        }
        None => Err(PyIndexError::new_err(format!(
            "axis {axis} is out of range: xs has the shape {}, so axes go from {} to {}",
            shown(shape),
            -(n as isize),
            n - 1
        ))),
    }
}

fn check_temperature(t: f64) -> PyResult<()> {
    if t.is_nan() || t < 0.0 {
        return Err(PyValueError::new_err(format!(
            "the temperature is {t}; expected 0 (greedy), a positive number, or inf (uniform)"
        )));
    }
    Ok(())
}

/// Why numbers along the axis have no distribution.
fn bad(xs: &[f64]) -> PyErr {
    let bad = |x: &f64| x.is_nan() || *x == f64::INFINITY;
    PyValueError::new_err(match xs.iter().position(bad) {
        None if xs.is_empty() => "xs is empty along the axis, so there is no distribution".into(),
        None => format!("all {} numbers along the axis are -inf (masked)", xs.len()),
        Some(i) => format!(
            "entry {i} along the axis is {}; expected finite numbers, or -inf for a masked entry",
            xs[i]
        ),
    })
}

/// Adds the functions to the module.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(softmax, module)?)?;
    module.add_function(wrap_pyfunction!(softmax_t, module)?)?;
    module.add_function(wrap_pyfunction!(entropy, module)?)?;
    module.add_function(wrap_pyfunction!(effective_choices, module)?)?;
    module.add_function(wrap_pyfunction!(free_energy, module)?)?;
    module.add_function(wrap_pyfunction!(heat_capacity, module)?)
}
