//! Decides whether settings differ: intervals, paired comparisons and corrections.
//!
//! Samples with equal numbers share their random numbers at all settings, so settings are compared
//! in pairs ([`Series::minus`]). A mean has an interval over prompts and samples ([`Estimate`]).
//! Several comparisons of one metric are corrected together ([`holm`]). A difference that may be
//! chance is [`Verdict::NotShown`]. Settings with unequal budgets aren't compared (arXiv 2506.13681
//! shows why). A difference in diversity means little where quality differs too: [`matched`]
//! compares at equal quality.

mod bootstrap;
mod comparison;
mod holm;
mod matched;
mod series;
mod student;
mod texts;

pub use bootstrap::{COVERAGE, Estimate, Over, RESAMPLES};
pub(crate) use bootstrap::{Dice, basic_intervals};
pub use comparison::{Budget, Difference, Verdict, compare};
pub use holm::holm;
pub use matched::{Matched, Point, matched};
pub use series::Series;
pub use texts::{Measured, TextHeat, text_heat};
