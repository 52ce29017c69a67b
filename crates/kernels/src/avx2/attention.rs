//! Attention with a lane for each position (scores) or each dimension (values): the sums of
//! `scalar::attention`, whose order is along the other axis, so no lane is ever added to another
//! one here.

use std::{arch::x86_64::*, ops::Range};

use half::f16;

use super::exp::exp8;
use crate::{
    kv_cache::{CacheElement, PAGE},
    norm::LANES,
    prefetch::prefetch_elements,
    scalar,
};

/// Eight stored numbers as f32.
///
/// # Safety
/// Eight numbers of T can be read at `at`.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn load8<T: CacheElement>(at: *const T) -> __m256 {
    // SAFETY: the caller's promise; T is f16 (two bytes) or f32 (four) as it says itself.
    unsafe {
        if T::IS_F16 { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) } else { _mm256_loadu_ps(at.cast()) }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn to_f16(x: &[f32], out: &mut [f16]) {
    let ((eights, rest), (narrow, narrow_rest)) = (x.as_chunks::<8>(), out.as_chunks_mut::<8>());
    for (eight, narrow) in eights.iter().zip(narrow) {
        // SAFETY: eight f32 are read and eight f16 written, unaligned.
        unsafe {
            let half = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(eight.as_ptr()));
            _mm_storeu_si128(narrow.as_mut_ptr().cast(), half);
        }
    }
    scalar::attention::to_f16(rest, narrow_rest);
}

/// Queries whose sums stay in registers while keys or values go by.
const QUERIES: usize = 6;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn scores<T: CacheElement>(
    queries: &[f32],
    keys: &[T],
    prefetch: *const u8,
    scale: f32,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let head_dim = keys.len() / PAGE;
    for (queries, scores) in queries.chunks(QUERIES * head_dim).zip(scores.chunks_mut(QUERIES * width)) {
        match queries.len() / head_dim {
            1 => scores_of::<T, 1, 4>(queries, keys, prefetch, scale, scores, width, at),
            2 => scores_of::<T, 2, 4>(queries, keys, prefetch, scale, scores, width, at),
            3 => scores_of::<T, 3, 2>(queries, keys, prefetch, scale, scores, width, at),
            4 => scores_of::<T, 4, 2>(queries, keys, prefetch, scale, scores, width, at),
            5 => scores_of::<T, 5, 2>(queries, keys, prefetch, scale, scores, width, at),
            _ => scores_of::<T, 6, 2>(queries, keys, prefetch, scale, scores, width, at),
        }
    }
}

/// N queries, V vectors of eight positions at a time: N·V sums in registers.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn scores_of<T: CacheElement, const N: usize, const V: usize>(
    queries: &[f32],
    keys: &[T],
    prefetch: *const u8,
    scale: f32,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let head_dim = keys.len() / PAGE;
    assert!(queries.len() == N * head_dim && keys.len() == head_dim * PAGE, "whole queries, a whole page");
    assert!(scores.len() == N * width && at + PAGE <= width, "a row of scores for each query");
    for first in (0..PAGE).step_by(8 * V) {
        let mut sums = [[_mm256_setzero_ps(); V]; N];
        for d in 0..head_dim {
            prefetch_elements::<T>(prefetch, d * PAGE + first, 8 * V);
            // SAFETY: d < head_dim and first + 8·V <= PAGE: within `keys` and `queries` as
            // asserted.
            unsafe {
                let mut key = [_mm256_setzero_ps(); V];
                for v in 0..V {
                    key[v] = load8(keys.as_ptr().add(d * PAGE + first + 8 * v));
                }
                for n in 0..N {
                    let q = _mm256_set1_ps(*queries.as_ptr().add(n * head_dim + d));
                    for v in 0..V {
                        sums[n][v] = _mm256_fmadd_ps(key[v], q, sums[n][v]);
                    }
                }
            }
        }
        for n in 0..N {
            for v in 0..V {
                let score = _mm256_mul_ps(sums[n][v], _mm256_set1_ps(scale));
                // SAFETY: n < N and at + first + 8·v + 8 <= at + PAGE <= width: within `scores` as
                // asserted.
                unsafe { _mm256_storeu_ps(scores.as_mut_ptr().add(n * width + at + first + 8 * v), score) };
            }
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn softmax_weights(scores: &mut [f32]) -> [f32; LANES] {
    let (blocks, rest) = scores.as_chunks_mut::<LANES>();
    assert!(rest.is_empty(), "whole pages");
    let mut max = _mm256_set1_ps(f32::NEG_INFINITY);
    for block in blocks.iter() {
        // SAFETY: a block is two vectors of eight f32. max_ps gives its second operand for NaN, as
        // the specification's comparison keeps its maximum.
        unsafe {
            max = _mm256_max_ps(_mm256_loadu_ps(block.as_ptr()), max);
            max = _mm256_max_ps(_mm256_loadu_ps(block.as_ptr().add(8)), max);
        }
    }
    let mut lanes8 = [0.0f32; 8];
    // SAFETY: `lanes8` is eight f32.
    unsafe { _mm256_storeu_ps(lanes8.as_mut_ptr(), max) };
    let max = lanes8.iter().fold(f32::NEG_INFINITY, |max, &s| if max < s { s } else { max });
    let max = _mm256_set1_ps(max);
    let mut sums = [_mm256_setzero_ps(); 2];
    for block in blocks {
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a block is two vectors of eight f32.
            unsafe {
                let place = block.as_mut_ptr().add(8 * i);
                let weight = exp8(_mm256_sub_ps(_mm256_loadu_ps(place), max));
                _mm256_storeu_ps(place, weight);
                *sum = _mm256_add_ps(*sum, weight);
            }
        }
    }
    let mut lanes = [0.0f32; LANES];
    // SAFETY: `lanes` is two vectors of eight f32.
    unsafe {
        _mm256_storeu_ps(lanes.as_mut_ptr(), sums[0]);
        _mm256_storeu_ps(lanes.as_mut_ptr().add(8), sums[1]);
    }
    lanes
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn add_values<T: CacheElement>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    places: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    if !dims.len().is_multiple_of(8) {
        return scalar::attention::add_values(weights, width, at, values, prefetch, places, dims, out);
    }
    for (weights, out) in weights.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * dims.len())) {
        let (places, dims) = (places.clone(), dims.clone());
        match out.len() / dims.len() {
            1 => values_of::<T, 1, 4>(weights, width, at, values, prefetch, places, dims, out),
            2 => values_of::<T, 2, 4>(weights, width, at, values, prefetch, places, dims, out),
            3 => values_of::<T, 3, 2>(weights, width, at, values, prefetch, places, dims, out),
            4 => values_of::<T, 4, 2>(weights, width, at, values, prefetch, places, dims, out),
            5 => values_of::<T, 5, 2>(weights, width, at, values, prefetch, places, dims, out),
            _ => values_of::<T, 6, 2>(weights, width, at, values, prefetch, places, dims, out),
        }
    }
}

/// N queries, V vectors of eight dimensions at a time where there are as many, then two, then one.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn values_of<T: CacheElement, const N: usize, const V: usize>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    places: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    let mut d = dims.start;
    while d + 8 * V <= dims.end {
        columns_of::<T, N, V>(weights, width, at, values, prefetch, places.clone(), dims.clone(), out, d);
        d += 8 * V;
    }
    while d + 8 * 2 <= dims.end {
        columns_of::<T, N, 2>(weights, width, at, values, prefetch, places.clone(), dims.clone(), out, d);
        d += 8 * 2;
    }
    while d < dims.end {
        columns_of::<T, N, 1>(weights, width, at, values, prefetch, places.clone(), dims.clone(), out, d);
        d += 8;
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn columns_of<T: CacheElement, const N: usize, const V: usize>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    places: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
    d: usize,
) {
    let head_dim = values.len() / PAGE;
    assert!(out.len() == N * dims.len() && weights.len() == N * width, "a row for each query");
    assert!(dims.start <= d && d + 8 * V <= dims.end && dims.end <= head_dim, "dimensions of a value");
    assert!(places.end <= PAGE && at + PAGE <= width, "places of a page");
    // SAFETY: query n < N, place k < PAGE and dimensions d to d + 8·V - 1 lie within `out`,
    // `weights` and `values` by the assertions above.
    unsafe {
        let place = |n: usize, v: usize| n * dims.len() + d - dims.start + 8 * v;
        let mut sums = [[_mm256_setzero_ps(); V]; N];
        for n in 0..N {
            for v in 0..V {
                sums[n][v] = _mm256_loadu_ps(out.as_ptr().add(place(n, v)));
            }
        }
        for k in places {
            prefetch_elements::<T>(prefetch, k * head_dim + d, 8 * V);
            let mut value = [_mm256_setzero_ps(); V];
            for v in 0..V {
                value[v] = load8(values.as_ptr().add(k * head_dim + d + 8 * v));
            }
            for n in 0..N {
                let weight = _mm256_set1_ps(*weights.as_ptr().add(n * width + at + k));
                for v in 0..V {
                    sums[n][v] = _mm256_fmadd_ps(value[v], weight, sums[n][v]);
                }
            }
        }
        for n in 0..N {
            for v in 0..V {
                _mm256_storeu_ps(out.as_mut_ptr().add(place(n, v)), sums[n][v]);
            }
        }
    }
}
