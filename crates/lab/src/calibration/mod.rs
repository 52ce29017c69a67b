//! Calibration of decisions: a temperature for each kind of question, fitted on labelled examples.
//!
//! [`fit`](fit()) finds the T with the least mean -ln p of the right answers under
//! softmax(ln q / T) (Guo et al. 2017, arXiv 1706.04599). [`judge`](judge()) says what that is
//! worth: each example is judged at the temperature that the others gave (cross-fitting), before
//! and after, with intervals. [`Labelled`] does both for questions of several kinds.
//! [`Calibration`] is the file that decisions take, and [`html`] a report of it.

mod example;
mod file;
mod fit;
mod judge;
mod labelled;
mod report;
#[cfg(test)]
mod simulated;

pub use example::Example;
pub use file::{Calibration, CalibrationError};
pub use fit::{ENDS, FEWEST, Fit, FitError, fit};
pub use judge::{Bin, Figures, Found, Judged, N_BINS, N_FOLDS, judge, judge_with};
pub use labelled::{LabelError, Labelled};
pub use report::{html, reliability};
