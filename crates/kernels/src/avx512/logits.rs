//! Passes over a row of logits with AVX-512, 16 lanes: `generic::logits`, and the loops of
//! `scalar::logits` compiled with AVX-512.

use std::arch::x86_64::__m512;

use crate::{
    generic,
    logits::{Bin, Bound, GROUP, Line, Near, Scan, Sums},
    scalar,
};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::logits::scan::<__m512>(xs, maxima) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select(
    xs: &[f32],
    bound: Bound,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::logits::select::<__m512>(xs, bound, first, ids, out) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select_near(
    xs: &[f32],
    near: &Near,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::logits::select_near::<__m512>(xs, near, first, ids, out) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select_bin(xs: &[f32], line: Line, bin: Bin, first: u32, ids: &mut [u32]) -> usize {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::logits::select_bin::<__m512>(xs, line, bin, first, ids) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn count_unmasked(xs: &[f32]) -> usize {
    scalar::logits::count_unmasked(xs)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn weigh(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
    scalar::logits::weigh(xs, max, beta, es)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn measure(xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    scalar::logits::measure(xs, max, beta, es)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn squares(es: &[f32]) -> u128 {
    scalar::logits::squares(es)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn deviations(xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
    scalar::logits::deviations(xs, max, scale)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn least(xs: &[f32]) -> f32 {
    scalar::logits::least(xs)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn bins(
    xs: &[f32],
    es: &[f32],
    line: Line,
    last_bin: u32,
    bins: &mut [u32; GROUP],
    weights: &mut [u64; GROUP],
) {
    scalar::logits::bins(xs, es, line, last_bin, bins, weights);
}
