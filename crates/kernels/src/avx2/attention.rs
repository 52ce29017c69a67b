//! Attention with AVX2, 8 lanes: see `generic::attention`. The register blocking is chosen here.

use std::{arch::x86_64::__m256, ops::Range};

use half::f16;

use crate::{
    generic,
    kv_cache::{CacheElement, PAGE},
    norm::LANES,
    scalar,
};

/// Maximum queries whose accumulators stay in registers.
const QUERIES: usize = 6;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn to_f16(x: &[f32], out: &mut [f16]) {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::attention::to_f16::<__m256>(x, out) }
}

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
    for (queries, scores) in
        queries.chunks(QUERIES * head_dim).zip(scores.chunks_mut(QUERIES * width))
    {
        // SAFETY: this function has the target features of `__m256`.
        unsafe {
            match queries.len() / head_dim {
                1 => generic::attention::scores::<__m256, T, 1, 4>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                2 => generic::attention::scores::<__m256, T, 2, 4>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                3 => generic::attention::scores::<__m256, T, 3, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                4 => generic::attention::scores::<__m256, T, 4, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                5 => generic::attention::scores::<__m256, T, 5, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                _ => generic::attention::scores::<__m256, T, 6, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
            }
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn softmax_weights(scores: &mut [f32]) -> [f32; LANES] {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::attention::softmax_weights::<__m256, 2>(scores) }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn add_values<T: CacheElement>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    slots: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    if !dims.len().is_multiple_of(8) {
        return scalar::attention::add_values(
            weights, width, at, values, prefetch, slots, dims, out,
        );
    }
    for (weights, out) in weights.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * dims.len()))
    {
        let (slots, dims) = (slots.clone(), dims.clone());
        // SAFETY: this function has the target features of `__m256`.
        unsafe {
            match out.len() / dims.len() {
                1 => generic::attention::values::<__m256, T, 1, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                2 => generic::attention::values::<__m256, T, 2, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                3 => generic::attention::values::<__m256, T, 3, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                4 => generic::attention::values::<__m256, T, 4, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                5 => generic::attention::values::<__m256, T, 5, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                _ => generic::attention::values::<__m256, T, 6, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
            }
        }
    }
}
