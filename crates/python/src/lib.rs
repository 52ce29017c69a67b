//! The extension module `kelvin._kelvin`: Kelvin's library over numpy arrays.
//!
//! It has no logic of its own. `numbers` has the functions over arrays, `chain` the stages that act
//! on anybody's logits, `model` an open model with its sequences and continuations (`ask` its
//! decisions, `search` its searches), `sweep`, `scoring`, `run` and `table` the lab (`told` its
//! progress), `rows` the workers of a cluster, `command` the command that the wheel
//! carries. Python imports it through `python/kelvin/__init__.py`. Doc comments are the docstrings
//! that Python shows; types are in `python/kelvin/_kelvin.pyi`.

mod arrays;
mod ask;
mod calibration;
mod chain;
mod command;
mod decide;
mod draws;
mod functions;
mod generation;
mod json;
mod model;
mod next;
mod notation;
mod numbers;
mod open;
mod own;
mod parts;
mod prompt;
mod request;
mod rows;
mod run;
mod sampler;
mod scoring;
mod search;
mod sequence;
mod settings;
mod shared;
mod sweep;
mod table;
mod text;
mod told;
mod worker;

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
    module.add_class::<next::Next>()?;
    module.add_class::<decide::Decision>()?;
    module.add_class::<calibration::Calibration>()?;
    module.add_class::<search::Search>()?;
    module.add_class::<search::Found>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<run::Run>()?;
    module.add_class::<rows::Job>()?;
    module.add_class::<rows::RowWorker>()?;
    for function in [
        wrap_pyfunction!(draws::row_addresses, module)?,
        wrap_pyfunction!(run::runs, module)?,
        wrap_pyfunction!(run::run, module)?,
        wrap_pyfunction!(run::write_report, module)?,
        wrap_pyfunction!(sweep::run_sweep, module)?,
        wrap_pyfunction!(sweep::run_tune, module)?,
        wrap_pyfunction!(scoring::score_run, module)?,
        wrap_pyfunction!(rows::run_of_rows, module)?,
        wrap_pyfunction!(rows::take_rows, module)?,
        wrap_pyfunction!(command::run_command, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
