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
pub const ROUND: f64 = (1u64 << 52) as f64;
/// 2^23: adding it to a number in [0, 2^23] does the same in f32.
pub(crate) const WHOLE: f32 = (1u32 << 23) as f32;
/// Below this a weight is 0 whatever it is; a finite stand-in for -inf keeps NaN out of products.
pub(crate) const FLOOR: f32 = -128.0;
/// Terms of the moment are in units of 2^-52: 7 bits finer than the weights.
pub const MOMENT_UNIT: f64 = 128.0;
/// Terms of squares are w² in units of 2^38, so 2^-52 of the largest.
pub const SQUARE_UNIT: f64 = 1.0 / (1u64 << 38) as f64;

/// How far beyond the last selected logit [`select`] may write.
pub const SLACK: usize = 16;

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

/// The smallest logit, -inf if one is masked: as fast as a plain read.
pub fn lowest(isa: Isa, xs: &[f32]) -> f32 {
    dispatch!(isa, logits::lowest(xs))
}

/// The logits of at least `from` (which isn't -inf) and their ids, `first` being that of the first logit, in order; how many
/// there are.
///
/// # Panics
/// If an output has no room for all of `xs` and [`SLACK`] more.
#[inline]
pub fn select(isa: Isa, xs: &[f32], from: f32, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    assert!(ids.len() >= xs.len() + SLACK && out.len() >= xs.len() + SLACK, "room for whole vectors");
    dispatch!(isa, logits::select(xs, from, first, ids, out))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of all sizes, masked ones among them, the same on every run.
    fn row(n: usize) -> Vec<f32> {
        let logit = |i: usize| match i * 7919 % 113 {
            7 | 50 => f32::NEG_INFINITY,
            8 => -3e38,
            9 => -0.0,
            k => (k as f32 - 80.0) * 0.37,
        };
        (0..n).map(logit).collect()
    }

    #[test]
    fn instruction_sets_agree_at_every_length() {
        for n in (1..200).chain([1023, 4096, 5000]) {
            let xs = row(n);
            let of = |isa| {
                let mut maxima = vec![0.0; n.div_ceil(GROUP)];
                let found = scan(isa, &xs, &mut maxima);
                let mut es = vec![0.0; n];
                let total = weigh(isa, &xs, found.max, 0.7, &mut es);
                let sums = measure(isa, &xs, found.max, 0.7, &es);
                assert_eq!(sums.total, total);
                let (mut ids, mut out) = (vec![0; n + SLACK], vec![0.0; n + SLACK]);
                let kept = select(isa, &xs, -5.0, 3, &mut ids, &mut out);
                ids.truncate(kept);
                out.truncate(kept);
                let deviations = deviations(isa, &xs, found.max, 2f64.powi(-104));
                let facts = (
                    total,
                    sums,
                    squares(isa, &es),
                    deviations,
                    least(isa, &xs),
                    count_unmasked(isa, &xs),
                    lowest(isa, &xs),
                );
                (found, maxima, es, ids, out, facts)
            };
            let a = of(Isa::SCALAR);
            for isa in Isa::all() {
                assert_eq!(a, of(isa), "length {n}, {}", isa.name());
            }
            let kept = xs.iter().enumerate().filter(|(_, x)| **x >= -5.0);
            let (ids, out): (Vec<u32>, Vec<f32>) = kept.map(|(i, &x)| (i as u32 + 3, x)).unzip();
            assert_eq!((&a.3, &a.4), (&ids, &out), "length {n}");
        }
    }

    #[test]
    fn bad_logits_are_seen_wherever_they_stand() {
        for n in [1, 7, 64, 65, 200] {
            for at in 0..n {
                for bad in [f32::NAN, f32::INFINITY] {
                    let mut xs = row(n);
                    xs[at] = bad;
                    for isa in Isa::all() {
                        assert!(
                            !scan(isa, &xs, &mut vec![0.0; n.div_ceil(GROUP)]).fine,
                            "{bad} at {at} of {n}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn bins_and_weights_are_those_of_single_logits() {
        let xs = row(GROUP);
        let mut es = vec![0.0; GROUP];
        weigh(Isa::best(), &xs, 11.84, 1.5, &mut es);
        let ranged = Ranged { xs: &xs, es: &es, max: 11.84, beta: 1.5, center: -3.0, last_bin: 500 };
        let of = |isa| {
            let (mut places, mut weights) = ([0; GROUP], [0; GROUP]);
            bins(isa, &ranged, &mut places, &mut weights);
            (places, weights)
        };
        let (places, weights) = of(Isa::SCALAR);
        for isa in Isa::all() {
            assert_eq!((places, weights), of(isa), "{}", isa.name());
        }
        for i in 0..GROUP {
            let distance = (scaled(xs[i], 11.84, 1.5) + 3.0).abs();
            assert_eq!(places[i], (distance * 64.0).min(500.0).round_ties_even() as u32);
            assert_eq!(weights[i], weight(es[i]));
        }
    }
}
