//! The extension module `kelvin._kelvin`: numpy arrays in, numpy arrays out.
//!
//! It has no logic of its own. `numbers` are the functions over arrays, `chain` a chain of stages
//! on anybody's logits, `model` a model with its sequences and continuations. Python sees it through
//! `python/kelvin/__init__.py`; the documentation of every name is in `python/kelvin/_kelvin.pyi`.

mod arrays;
mod chain;
mod draws;
mod generation;
mod json;
mod model;
mod next;
mod numbers;
mod open;
mod parts;
mod prompt;
mod request;
mod sampler;
mod sequence;
mod settings;
mod shared;
mod text;

use pyo3::prelude::*;

/// Fills the module.
#[pymodule]
fn _kelvin(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    numbers::add(module)?;
    module.add_class::<chain::Chain>()?;
    module.add_class::<sampler::Sampler>()?;
    module.add_class::<draws::Survivors>()?;
    module.add_class::<draws::Draw>()?;
    module.add_class::<draws::Explanation>()?;
    model::add(module)
}
