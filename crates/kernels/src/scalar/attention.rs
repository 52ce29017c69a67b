//! The specification of attention: scores, softmax weights and weighted values.

use std::ops::Range;

use half::f16;

use super::{exp::exp, norm::LANES};
use crate::{fma::fma, memory::Pod};

/// Positions in a page. vLLM calls this the block size.
pub const PAGE: usize = 32;

/// 1.5 · 2^23: sums with small numbers are whole.
pub(crate) const NO_FRACTION: f32 = 12_582_912.0;

/// A stored element that is a floating-point number.
pub(crate) trait FloatElement: Pod + Default {
    /// Whether the type is f16; otherwise it is f32.
    const IS_F16: bool;
    /// Converts a stored element to f32; exact.
    fn to_f32(self) -> f32;
}

impl FloatElement for f16 {
    const IS_F16: bool = true;
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}

impl FloatElement for f32 {
    const IS_F16: bool = false;
    fn to_f32(self) -> f32 {
        self
    }
}

/// The scale with which numbers become integers of at most `most`, and what they are multiplied
/// with. If one isn't finite the scale is NaN.
pub(crate) fn integer_scale(x: &[f32], most: f32) -> (f32, f32) {
    // Bits of absolute values are in the order of these, and NaN's are the greatest.
    let greatest = x.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0);
    scale_of(f32::from_bits(greatest), most)
}

/// As [`integer_scale`], of numbers whose greatest absolute value is known.
#[inline(always)]
pub(crate) fn scale_of(greatest: f32, most: f32) -> (f32, f32) {
    let scale = greatest / most;
    if !scale.is_finite() {
        return (f32::NAN, 0.0);
    }
    // The reciprocal of a very small scale isn't finite; its integers are 0.
    let inverse = 1.0 / scale;
    (scale, if inverse.is_finite() { inverse } else { 0.0 })
}

/// An integer: rounded to nearest, ties to even. What isn't finite becomes 0.
pub(crate) fn to_integer(x: f32, inverse: f32) -> i32 {
    // The sum has no room for a fraction.
    ((x * inverse + NO_FRACTION) - NO_FRACTION) as i32
}

/// Converts f32 to f16, rounding to nearest, ties to even.
pub(crate) fn to_f16(x: &[f32], out: &mut [f16]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = f16::from_f32(*x);
    }
}

/// Computes `scores[query][at..at + PAGE] = scale · (query · key)` for the keys of a page. Rows of
/// `scores` have `width` elements.
///
/// `_prefetch` is the address of the keys that are read later: other instruction sets prefetch
/// there while they read these.
pub(crate) fn scores<T: FloatElement>(
    queries: &[f32],
    keys: &[T],
    _prefetch: *const u8,
    scale: f32,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let head_dim = keys.len() / PAGE;
    for (query, scores) in queries.chunks_exact(head_dim).zip(scores.chunks_exact_mut(width)) {
        for (k, score) in scores[at..at + PAGE].iter_mut().enumerate() {
            let sum = query
                .iter()
                .enumerate()
                .fold(0.0f32, |acc, (d, q)| fma(keys[d * PAGE + k].to_f32(), *q, acc));
            *score = sum * scale;
        }
    }
}

/// Replaces scores by softmax weights exp(s - max); returns the sums of the weights in 16 lanes.
pub(crate) fn softmax_weights(scores: &mut [f32]) -> [f32; LANES] {
    let max = scores.iter().fold(f32::NEG_INFINITY, |max, &s| if max < s { s } else { max });
    let mut lanes = [0.0; LANES];
    for (k, score) in scores.iter_mut().enumerate() {
        *score = exp(*score - max);
        lanes[k % LANES] += *score;
    }
    lanes
}

/// Adds `weights[query][at + k]·value_k` to `out[query]` for slots k of a page, in the dimensions
/// `dims`.
pub(crate) fn add_values<T: FloatElement>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    _prefetch: *const u8,
    slots: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    let head_dim = values.len() / PAGE;
    for (out, weights) in out.chunks_exact_mut(dims.len()).zip(weights.chunks_exact(width)) {
        for k in slots.clone() {
            for (out, value) in out.iter_mut().zip(&values[k * head_dim + dims.start..]) {
                *out = fma(value.to_f32(), weights[at + k], *out);
            }
        }
    }
}

/// Writes numbers as integers of at most `most` into `out`, and returns their scale.
pub(crate) fn to_integers(x: &[f32], most: f32, out: &mut [i16]) -> f32 {
    let (scale, inverse) = integer_scale(x, most);
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = to_integer(x, inverse) as i16);
    scale
}

/// As [`to_integers`], of weights `[at..at + PAGE]` of each query times the scales of the values.
/// Rows of `weights` have `width` elements, those of `out` have `PAGE`; `factors` gets the scales.
pub(crate) fn integer_weights(
    weights: &[f32],
    width: usize,
    at: usize,
    scales: &[f32; PAGE],
    most: f32,
    out: &mut [i16],
    factors: &mut [f32],
) {
    let rows = weights.chunks_exact(width).zip(out.chunks_exact_mut(PAGE)).zip(factors);
    for ((weights, out), factor) in rows {
        let weights = &weights[at..at + PAGE];
        let scaled: [f32; PAGE] = std::array::from_fn(|k| weights[k] * scales[k]);
        *factor = to_integers(&scaled, most, out);
    }
}

/// Computes `scores[query][at..at + PAGE] = factor · (scale_k · Σ query · key_k)` for the keys of a
/// page, `[pairs][PAGE][2]`, whose sums are exact. `queries` is `[n][pairs][2]`, with a factor for
/// each. Rows of `scores` have `width` elements.
pub(crate) fn integer_scores(
    queries: &[i16],
    factors: &[f32],
    keys: &[i8],
    scales: &[f32; PAGE],
    _prefetch: *const u8,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let len = keys.len() / PAGE;
    let rows = queries.chunks_exact(len).zip(factors).zip(scores.chunks_exact_mut(width));
    for ((query, factor), scores) in rows {
        for (k, score) in scores[at..at + PAGE].iter_mut().enumerate() {
            let key = |d: usize| i32::from(keys[d / 2 * 2 * PAGE + 2 * k + d % 2]);
            let sum: i32 = query.iter().enumerate().map(|(d, q)| i32::from(*q) * key(d)).sum();
            *score = sum as f32 * scales[k] * factor;
        }
    }
}

/// Adds `factor · Σ_k weights[query][k] · value_k` to `out[query]` for the values of a page,
/// `[PAGE / 2][head_dim][2]`, in the dimensions `dims`. The sums are exact.
pub(crate) fn add_integer_values(
    weights: &[i16],
    factors: &[f32],
    values: &[i8],
    _prefetch: *const u8,
    dims: Range<usize>,
    out: &mut [f32],
) {
    let head_dim = values.len() / PAGE;
    let rows = weights.chunks_exact(PAGE).zip(factors).zip(out.chunks_exact_mut(dims.len()));
    for ((weights, factor), out) in rows {
        for (d, out) in dims.clone().zip(out) {
            let value = |k: usize| i32::from(values[(k / 2 * head_dim + d) * 2 + k % 2]);
            let sum: i32 = weights.iter().enumerate().map(|(k, w)| i32::from(*w) * value(k)).sum();
            *out = fma(sum as f32, *factor, *out);
        }
    }
}
