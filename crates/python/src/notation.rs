//! Scores of one's own as Python gives them: a dictionary of notations by name.

use std::collections::BTreeMap;

use kelvin_lab::scores::Score;
use pyo3::PyResult;

use crate::parts::value_error;

/// Notations by name.
pub(crate) type Notations = BTreeMap<String, String>;

/// The scores of a keyword. Files that they name are looked up in the working directory.
pub(crate) fn read(scores: Option<Notations>) -> PyResult<Vec<Score>> {
    let scores = scores.unwrap_or_default();
    let all: Vec<String> =
        scores.iter().map(|(name, notation)| format!("{name}={notation}")).collect();
    kelvin_lab::recipe::scores(&all, "".as_ref()).map_err(value_error)
}
