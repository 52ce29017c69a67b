//! Passes over a row of logits: what samplers compute over the whole vocabulary, one read per
//! function.
//!
//! Softmax weights are integers, `w = round(2^45 · exp(d))` with `d = (x - max)·β`. Other terms are
//! rounded to a stated unit and summed as integers too. Integer sums don't depend on their order,
//! so a result is the same for every instruction set and every permutation of the row. Most loops
//! are plain code, compiled once for each instruction set.

use crate::isa::{Isa, dispatch};

pub use crate::scalar::logits::{
    Bin, Bound, GROUP, Line, MOMENT_UNIT, Near, ONE, ROUND, SQUARE_UNIT, Scan, Sums,
};

/// Maximum length of a row: totals of weights then fit u64.
pub const MAX_LEN: usize = (1 << 19) - 1;

/// How many elements beyond the last selected logit [`select`] may write.
pub const SLACK: usize = 16;

/// Finds the extremes of a row, and writes the maximum of each [`GROUP`] to `maxima`.
///
/// # Panics
/// If `maxima` isn't as long as `xs` has groups.
pub fn scan(isa: Isa, xs: &[f32], maxima: &mut [f32]) -> Scan {
    assert_eq!(maxima.len(), xs.len().div_ceil(GROUP), "one maximum per group");
    dispatch!(isa, logits::scan(xs, maxima))
}

/// Number of unmasked logits, those above -inf.
pub fn count_unmasked(isa: Isa, xs: &[f32]) -> usize {
    dispatch!(isa, logits::count_unmasked(xs))
}

/// Writes exp(d) of each logit to `es` (0 if masked) and returns the sum of the weights.
///
/// # Panics
/// If `es` isn't as long as `xs`, which has at most [`MAX_LEN`].
pub fn weigh(isa: Isa, xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
    assert!(xs.len() == es.len() && xs.len() <= MAX_LEN, "one exponential for each logit");
    dispatch!(isa, logits::weigh(xs, max, beta, es))
}

/// [`weigh`] and [`measure`] in one read of the row.
///
/// # Panics
/// If `es` isn't as long as `xs`, which has at most [`MAX_LEN`].
pub fn weigh_and_measure(isa: Isa, xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> Sums {
    assert!(xs.len() == es.len() && xs.len() <= MAX_LEN, "one exponential for each logit");
    dispatch!(isa, logits::weigh_and_measure(xs, max, beta, es))
}

/// The sum of the weights, and the moment that entropy needs. `es` comes from [`weigh`].
///
/// # Panics
/// If `es` isn't as long as `xs`, which has at most [`MAX_LEN`].
pub fn measure(isa: Isa, xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    assert!(xs.len() == es.len() && xs.len() <= MAX_LEN, "one exponential for each logit");
    dispatch!(isa, logits::measure(xs, max, beta, es))
}

/// Σ round(w²·2^-38). `es` comes from [`weigh`].
pub fn squares(isa: Isa, es: &[f32]) -> u128 {
    dispatch!(isa, logits::squares(es))
}

/// Σ q and Σ q² of `q = round((max - x)·scale)` over the unmasked logits.
///
/// `scale` must bring every `max - x` below 2^26.
pub fn deviations(isa: Isa, xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
    dispatch!(isa, logits::deviations(xs, max, scale))
}

/// The smallest unmasked logit; +inf if all are masked.
pub fn least(isa: Isa, xs: &[f32]) -> f32 {
    dispatch!(isa, logits::least(xs))
}

/// Writes the logits that `bound` admits, and their ids, in order; returns how many. `first` is the
/// id of `xs[0]`.
///
/// # Panics
/// If an output is shorter than `xs` and [`SLACK`] more elements.
#[inline]
pub fn select(
    isa: Isa,
    xs: &[f32],
    bound: Bound,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    assert!(
        ids.len() >= xs.len() + SLACK && out.len() >= xs.len() + SLACK,
        "outputs hold all logits and SLACK more"
    );
    dispatch!(isa, logits::select(xs, bound, first, ids, out))
}

/// Writes the logits that `near` admits, and their ids, in order; returns how many.
///
/// # Panics
/// As [`select`].
#[inline]
pub fn select_near(
    isa: Isa,
    xs: &[f32],
    near: &Near,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    assert!(
        ids.len() >= xs.len() + SLACK && out.len() >= xs.len() + SLACK,
        "outputs hold all logits and SLACK more"
    );
    dispatch!(isa, logits::select_near(xs, near, first, ids, out))
}

/// Writes the ids of the logits whose distance along `line` is in `bin` (see [`bins`]), in order;
/// returns how many.
///
/// # Panics
/// As [`select`].
#[inline]
pub fn select_bin(
    isa: Isa,
    xs: &[f32],
    line: Line,
    bin: Bin,
    first: u32,
    ids: &mut [u32],
) -> usize {
    assert!(ids.len() >= xs.len() + SLACK, "outputs hold all logits and SLACK more");
    dispatch!(isa, logits::select_bin(xs, line, bin, first, ids))
}

/// Computes the weights of up to [`GROUP`] logits, and the histogram bins of their distances:
/// `bin = round(distance·64)`, at most `last_bin`. `es` has exp(d) of each logit.
#[inline]
pub fn bins(
    isa: Isa,
    xs: &[f32],
    es: &[f32],
    line: Line,
    last_bin: u32,
    bins: &mut [u32; GROUP],
    weights: &mut [u64; GROUP],
) {
    dispatch!(isa, logits::bins(xs, es, line, last_bin, bins, weights));
}

/// The weight of exp(d): round(2^45 · e), half to even.
#[inline]
pub fn weight(e: f32) -> u64 {
    crate::scalar::logits::weight(e)
}

/// (x - max)·β, or a number below every weight where that is lower, -inf or NaN (a masked logit at
/// β = 0).
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
                let mut at_once = vec![1.0; n];
                assert_eq!(weigh_and_measure(isa, &xs, found.max, 0.7, &mut at_once), sums);
                assert_eq!(at_once, es);
                let (mut ids, mut out) = (vec![0; n + SLACK], vec![0.0; n + SLACK]);
                let edge = Bound { x: -5.0, index: usize::MAX };
                let kept = select(isa, &xs, edge, 3, &mut ids, &mut out);
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
    fn selections_are_what_single_logits_say() {
        for n in (1..150).chain([1000]) {
            let xs = row(n);
            let last = Bound { x: xs[n / 2].max(-20.0), index: n / 2 + 3 };
            for (center, reach) in [(0.0, 9.0), (-7.0, 0.5), (-4.0, 2.0), (-300.0, 172.0)] {
                let line = Line { max: 11.84, beta: 0.5, center };
                let near = Near { line, reach, last, from: f32::MIN };
                // Ties with the last one, of which some are in and some are out.
                let tied = Near { reach: line.distance(last.x), ..near };
                let bin = Bin {
                    number: (line.distance(last.x) * 64.0).min(500.0).round_ties_even() as u32,
                    last: 500,
                };
                let of = |isa| {
                    let (mut ids, mut out) = (vec![0; n + SLACK], vec![0.0; n + SLACK]);
                    let mut found: Vec<Vec<u32>> = Vec::new();
                    let kept = select(isa, &xs, last, 3, &mut ids, &mut out);
                    assert!(ids[..kept].iter().zip(&out).all(|(&id, &x)| xs[id as usize - 3] == x));
                    found.push(ids[..kept].to_vec());
                    for near in [&near, &tied] {
                        let kept = select_near(isa, &xs, near, 3, &mut ids, &mut out);
                        assert!(
                            ids[..kept].iter().zip(&out).all(|(&id, &x)| xs[id as usize - 3] == x)
                        );
                        found.push(ids[..kept].to_vec());
                    }
                    let kept = select_bin(isa, &xs, line, bin, 3, &mut ids);
                    found.push(ids[..kept].to_vec());
                    found
                };
                let all = |keep: &dyn Fn(f32, usize) -> bool| -> Vec<u32> {
                    (3..)
                        .zip(&xs)
                        .filter(|&(id, &x)| keep(x, id as usize))
                        .map(|(id, _)| id)
                        .collect()
                };
                let place = |x: f32| (line.distance(x) * 64.0).min(500.0).round_ties_even() as u32;
                let expected = vec![
                    all(&|x, id| last.admits(x, id)),
                    all(&|x, id| near.admits(x, id)),
                    all(&|x, id| tied.admits(x, id)),
                    all(&|x, _| place(x) == bin.number),
                ];
                for isa in Isa::all() {
                    assert_eq!(of(isa), expected, "{}, {n} logits, {line:?}", isa.name());
                }
            }
        }
    }

    #[test]
    fn bins_and_weights_are_those_of_single_logits() {
        let xs = row(GROUP);
        let mut es = vec![0.0; GROUP];
        weigh(Isa::best(), &xs, 11.84, 1.5, &mut es);
        let line = Line { max: 11.84, beta: 1.5, center: -3.0 };
        let of = |isa| {
            let (mut places, mut weights) = ([0; GROUP], [0; GROUP]);
            bins(isa, &xs, &es, line, 500, &mut places, &mut weights);
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
