//! Attention with AVX-512, 16 lanes: see `generic::attention`. The register blocking is chosen
//! here.

use std::{arch::x86_64::__m512, ops::Range};

pub(crate) use avx2::attention::to_f16;

use crate::{
    avx2, generic,
    kv_cache::{CacheElement, PAGE},
    norm::LANES,
};

/// Maximum queries whose accumulators stay in registers.
const QUERIES: usize = 8;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
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
        // SAFETY: this function has the target features of `__m512`.
        unsafe {
            match queries.len() / head_dim {
                1 => generic::attention::scores::<__m512, T, 1, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                2 => generic::attention::scores::<__m512, T, 2, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                3 => generic::attention::scores::<__m512, T, 3, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                4 => generic::attention::scores::<__m512, T, 4, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                5 => generic::attention::scores::<__m512, T, 5, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                6 => generic::attention::scores::<__m512, T, 6, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                7 => generic::attention::scores::<__m512, T, 7, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
                _ => generic::attention::scores::<__m512, T, 8, 2>(
                    queries, keys, prefetch, scale, scores, width, at,
                ),
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn softmax_weights(scores: &mut [f32]) -> [f32; LANES] {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::attention::softmax_weights::<__m512, 1>(scores) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
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
    if !dims.len().is_multiple_of(16) {
        return avx2::attention::add_values(weights, width, at, values, prefetch, slots, dims, out);
    }
    for (weights, out) in weights.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * dims.len()))
    {
        let (slots, dims) = (slots.clone(), dims.clone());
        // SAFETY: this function has the target features of `__m512`.
        unsafe {
            match out.len() / dims.len() {
                1 => generic::attention::values::<__m512, T, 1, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                2 => generic::attention::values::<__m512, T, 2, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                3 => generic::attention::values::<__m512, T, 3, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                4 => generic::attention::values::<__m512, T, 4, 4>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                5 => generic::attention::values::<__m512, T, 5, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                6 => generic::attention::values::<__m512, T, 6, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                7 => generic::attention::values::<__m512, T, 7, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
                _ => generic::attention::values::<__m512, T, 8, 2>(
                    weights, width, at, values, prefetch, slots, dims, out,
                ),
            }
        }
    }
}
