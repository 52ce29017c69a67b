//! The loops over a row of logits: the text of `scalar::logits` compiled for AVX-512, and survivors gathered sixteen at a time.

use std::arch::x86_64::*;

use crate::logits::{GROUP, Ranged, Sums};
use crate::scalar;

// The first look is at the memory's speed already.
pub(crate) use crate::avx2::logits::scan;

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
pub(crate) fn lowest(xs: &[f32]) -> f32 {
    scalar::logits::lowest(xs)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn bins(group: &Ranged<'_>, bins: &mut [u32; GROUP], weights: &mut [u64; GROUP]) {
    scalar::logits::bins(group, bins, weights);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select(xs: &[f32], from: f32, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (sixteens, rest) = xs.as_chunks::<16>();
    let least = _mm512_set1_ps(from);
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut id = _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes);
    let mut n = 0;
    for sixteen in sixteens {
        // SAFETY: `sixteen` is sixteen f32.
        let x = unsafe { _mm512_loadu_ps(sixteen.as_ptr()) };
        let kept = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x, least);
        // SAFETY: n is at most the number of logits before these, and the outputs have room for all logits and `SLACK` = 16
        // more, which the caller has checked.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr().add(n), _mm512_maskz_compress_ps(kept, x));
            _mm512_storeu_si512(ids.as_mut_ptr().add(n).cast(), _mm512_maskz_compress_epi32(kept, id));
        }
        n += kept.count_ones() as usize;
        id = _mm512_add_epi32(id, _mm512_set1_epi32(16));
    }
    let done = (xs.len() - rest.len()) as u32;
    n + scalar::logits::select(rest, from, first + done, &mut ids[n..], &mut out[n..])
}
