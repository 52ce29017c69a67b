//! The specification of attention: scores, softmax weights and weighted values.

use std::ops::Range;

use half::f16;

use super::exp::exp;
use crate::{
    kv_cache::{CacheElement, PAGE},
    norm::LANES,
};

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
pub(crate) fn scores<T: CacheElement>(
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
                .fold(0.0f32, |acc, (d, q)| keys[d * PAGE + k].to_f32().mul_add(*q, acc));
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
pub(crate) fn add_values<T: CacheElement>(
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
                *out = value.to_f32().mul_add(weights[at + k], *out);
            }
        }
    }
}
