//! Values of two settings in, whether they differ out.
//!
//! Samples of one number share their dice at all settings, so settings are compared in pairs
//! ([`Series::minus`]). A mean has an interval over prompts and samples ([`Estimate`]); many
//! comparisons of one metric are corrected together ([`holm`]). A difference that may be chance is
//! [`Verdict::NotShown`], and settings with unequal budgets aren't compared at all (arXiv
//! 2506.13681 shows what happens otherwise). Neither says a difference in diversity much where
//! quality differs too: [`matched`] compares at equal quality.

mod bootstrap;
mod comparison;
mod holm;
mod matched;
mod series;
mod student;

pub use bootstrap::{COVERAGE, Estimate, Over, RESAMPLES};
pub use comparison::{Budget, Difference, Verdict, compare};
pub use holm::holm;
pub use matched::{Matched, Point, matched};
pub use series::Series;
