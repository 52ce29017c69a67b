//! The extension module `kelvin._kelvin`: Kelvin's library over numpy arrays.
//!
//! It has no logic of its own. `numbers` has the functions over arrays, `chain` the stages that act
//! on anybody's logits, `model` an open model with its sequences and continuations. Python imports
//! it through `python/kelvin/__init__.py`. Doc comments are the docstrings that Python shows; types
//! are in `python/kelvin/_kelvin.pyi`.

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
    module.add_class::<model::Model>()?;
    module.add_class::<sequence::Sequence>()?;
    module.add_class::<generation::Generation>()?;
    module.add_class::<generation::Comparison>()?;
    module.add_class::<text::Text>()?;
    module.add_class::<text::Token>()?;
    module.add_class::<text::Score>()?;
    module.add_class::<next::Next>()
}
