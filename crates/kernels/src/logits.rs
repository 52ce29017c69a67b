//! A row of logits in; what a sampler asks of the whole vocabulary out, in one read each.
//!
//! Weights are whole numbers, `w = round(2^45 · exp(d))` with `d = (x - max)·β`, and so are the sums of other terms,
//! each rounded to a stated unit. Sums of whole numbers don't depend on their order, so a result is the same
//! for every instruction set and for every permutation of the row. The loops are plain text that each
//! instruction set compiles for itself.

use crate::isa::{Isa, dispatch};

/// Logits that share one entry of a table of maxima, so that searches can pass over most of the row.
pub const GROUP: usize = 64;
/// The weight of the likeliest token: weights are in units of 2^-45.
pub const ONE: u64 = 1 << 45;
/// The longest row: totals of weights fit into u64.
pub const MAX_LEN: usize = (1 << 19) - 1;

/// Adding 2^52 to a number in [0, 2^52] rounds it to a whole one, half to even, which then stands in the low bits.
pub(crate) const ROUND: f64 = (1u64 << 52) as f64;
/// 2^23: adding it to a number in [0, 2^23] does the same in f32.
pub(crate) const WHOLE: f32 = (1u32 << 23) as f32;
/// Below this a weight is 0 whatever it is; a finite stand-in for -inf keeps NaN out of products.
pub(crate) const FLOOR: f32 = -128.0;
/// Terms of the moment are in units of 2^-52: 7 bits finer than the weights.
pub const MOMENT_UNIT: f64 = 128.0;
/// Terms of squares are w² in units of 2^38, so 2^-52 of the largest.
pub const SQUARE_UNIT: f64 = 1.0 / (1u64 << 38) as f64;

/// What one look at a row tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// The largest logit that isn't NaN; -inf if there is none.
    pub max: f32,
    /// Neither NaN nor +inf is among them.
    pub fine: bool,
}

/// The sums over the weights of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Σ w, in units of 2^-45.
    pub total: u64,
    /// Σ round(w·|d|), in units of 2^-52, half to even.
    pub moment: u128,
}

/// Looks at a row once, and leaves the maximum of each [`GROUP`] in `maxima`.
///
/// # Panics
/// If `maxima` isn't as long as `xs` has groups.
pub fn scan(isa: Isa, xs: &[f32], maxima: &mut [f32]) -> Scan {
    assert_eq!(maxima.len(), xs.len().div_ceil(GROUP), "one maximum for each group");
    dispatch!(isa, logits::scan(xs, maxima))
}

/// How many logits are above -inf.
pub fn count_unmasked(isa: Isa, xs: &[f32]) -> usize {
    dispatch!(isa, logits::count_unmasked(xs))
}

/// exp(d) of each logit into `es` (0 where it is masked), and the sum of the weights.
///
/// # Panics
/// If `es` isn't as long as `xs`, which has at most [`MAX_LEN`].
pub fn weigh(isa: Isa, xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
    assert!(xs.len() == es.len() && xs.len() <= MAX_LEN, "one exponential for each logit");
    dispatch!(isa, logits::weigh(xs, max, beta, es))
}

/// The sum of the weights and the moment that entropy needs, of exponentials that [`weigh`] left.
///
/// # Panics
/// If `es` isn't as long as `xs`, which has at most [`MAX_LEN`].
pub fn measure(isa: Isa, xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    assert!(xs.len() == es.len() && xs.len() <= MAX_LEN, "one exponential for each logit");
    dispatch!(isa, logits::measure(xs, max, beta, es))
}

/// Σ round(w²·2^-38) of exponentials that [`weigh`] left.
pub fn squares(isa: Isa, es: &[f32]) -> u128 {
    dispatch!(isa, logits::squares(es))
}

/// Σ q and Σ q² of `q = round((max - x)·scale)` over the logits that aren't masked.
///
/// `scale` must bring every `max - x` below 2^26.
pub fn deviations(isa: Isa, xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
    dispatch!(isa, logits::deviations(xs, max, scale))
}

/// The smallest logit above -inf; +inf if there is none.
pub fn least(isa: Isa, xs: &[f32]) -> f32 {
    dispatch!(isa, logits::least(xs))
}

/// The weights of up to [`GROUP`] logits, and the bins of their distances |d - center|: `bin = round(distance·64)`,
/// at most `last_bin`.
#[inline]
pub fn bins(isa: Isa, group: &Ranged<'_>, bins: &mut [u32; GROUP], weights: &mut [u64; GROUP]) {
    dispatch!(isa, logits::bins(group, bins, weights));
}

/// A group of logits with their exponentials, and the line along which their distances are measured.
#[derive(Debug, Clone, Copy)]
pub struct Ranged<'a> {
    /// Up to [`GROUP`] logits.
    pub xs: &'a [f32],
    /// exp(d) of each.
    pub es: &'a [f32],
    /// The largest logit.
    pub max: f32,
    /// d = (x - max)·β.
    pub beta: f32,
    /// Distances are |d - center|.
    pub center: f32,
    /// The largest bin.
    pub last_bin: u32,
}

/// The weight of exp(d): round(2^45 · e), half to even.
#[inline]
pub fn weight(e: f32) -> u64 {
    crate::scalar::logits::weight(e)
}

/// (x - max)·β, or a number below every weight where that is lower, -inf or NaN (a masked logit at β = 0).
#[inline]
pub fn scaled(x: f32, max: f32, beta: f32) -> f32 {
    crate::scalar::logits::scaled(x, max, beta)
}
