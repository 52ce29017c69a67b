//! Scores, weights and values of attention, number by number.

use std::ops::Range;

use half::f16;

use super::exp::exp;
use crate::{
    norm::LANES,
    pages::{PAGE, Stored},
};

/// Each to the nearest, ties to even.
pub(crate) fn to_f16(x: &[f32], out: &mut [f16]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = f16::from_f32(*x);
    }
}

/// scores[query][at..at + PAGE] = scale · (query · key) for the keys of a page; rows of `scores` are `width` long.
///
/// `_soon` is where the numbers lie that will be read soon; other instruction sets ask for them at the pace at which they read
/// these.
pub(crate) fn scores<T: Stored>(
    queries: &[f32],
    keys: &[T],
    _soon: *const u8,
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
                .fold(0.0f32, |acc, (d, q)| keys[d * PAGE + k].to_f32().mul_add(*q, acc));
            *score = sum * scale;
        }
    }
}

/// Scores to weights exp(s - max), in place; the weights' sums in 16 lanes.
pub(crate) fn weigh(scores: &mut [f32]) -> [f32; LANES] {
    let max = scores.iter().fold(f32::NEG_INFINITY, |max, &s| if max < s { s } else { max });
    let mut lanes = [0.0; LANES];
    for (k, score) in scores.iter_mut().enumerate() {
        *score = exp(*score - max);
        lanes[k % LANES] += *score;
    }
    lanes
}

/// out[query] += Σ weights[query][at + k]·value_k for k in `places` of a page, in the dimensions `dims`.
pub(crate) fn add_values<T: Stored>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    _soon: *const u8,
    places: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    let head_dim = values.len() / PAGE;
    for (out, weights) in out.chunks_exact_mut(dims.len()).zip(weights.chunks_exact(width)) {
        for k in places.clone() {
            for (out, value) in out.iter_mut().zip(&values[k * head_dim + dims.start..]) {
                *out = value.to_f32().mul_add(weights[at + k], *out);
            }
        }
    }
}
