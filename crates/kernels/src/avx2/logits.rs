//! The loops over a row of logits: the text of `scalar::logits` compiled for AVX2, but for the first look, in which
//! a compiler doesn't see how to keep the maxima of groups in vectors.

use std::arch::x86_64::*;

use crate::logits::{GROUP, Ranged, Scan, Sums};
use crate::scalar;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
    let (groups, rest) = xs.as_chunks::<GROUP>();
    let masked = _mm256_set1_ps(f32::NEG_INFINITY);
    let mut all = masked;
    let mut nan = _mm256_setzero_ps();
    for (group, group_max) in groups.iter().zip(maxima.iter_mut()) {
        let mut max = masked;
        for i in 0..GROUP / 16 {
            // SAFETY: i·16 + 16 <= GROUP, and the loads are unaligned.
            let (x, y) = unsafe {
                let x = group.as_ptr().add(i * 16);
                (_mm256_loadu_ps(x), _mm256_loadu_ps(x.add(8)))
            };
            // Unordered if either is NaN.
            nan = _mm256_or_ps(nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(x, y));
            // Gives its second operand for NaN, as the comparison in the specification does.
            max = _mm256_max_ps(y, _mm256_max_ps(x, max));
        }
        all = _mm256_max_ps(max, all);
        *group_max = largest(max);
    }
    let tail = scalar::logits::scan(rest, &mut maxima[groups.len()..]);
    let max = largest(all);
    let fine = _mm256_movemask_ps(nan) == 0 && max < f32::INFINITY;
    Scan { max: if tail.max > max { tail.max } else { max }, fine: fine && tail.fine }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn largest(x: __m256) -> f32 {
    let x = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)))
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn count_unmasked(xs: &[f32]) -> usize {
    scalar::logits::count_unmasked(xs)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn weigh(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
    scalar::logits::weigh(xs, max, beta, es)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn measure(xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    scalar::logits::measure(xs, max, beta, es)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn squares(es: &[f32]) -> u128 {
    scalar::logits::squares(es)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn deviations(xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
    scalar::logits::deviations(xs, max, scale)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn least(xs: &[f32]) -> f32 {
    scalar::logits::least(xs)
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn lowest(xs: &[f32]) -> f32 {
    scalar::logits::lowest(xs)
}

/// For each set of eight lanes, the order that brings those of the set to the front.
static TO_FRONT: [[u32; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut n) = (0, 0);
        while lane < 8 {
            if set >> lane & 1 == 1 {
                table[set][n] = lane;
                n += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn select(xs: &[f32], from: f32, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (eights, rest) = xs.as_chunks::<8>();
    let least = _mm256_set1_ps(from);
    let mut id = _mm256_add_epi32(_mm256_set1_epi32(first as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let mut n = 0;
    for eight in eights {
        // SAFETY: `eight` is eight f32, a row of the table eight u32; loads are unaligned.
        let (x, order) = unsafe {
            let x = _mm256_loadu_ps(eight.as_ptr());
            let kept = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(x, least)) as usize;
            (x, (kept, _mm256_loadu_si256(TO_FRONT[kept].as_ptr().cast())))
        };
        // SAFETY: n is at most the number of logits before these, and the outputs have room for all logits and `SLACK` >= 8
        // more, which the caller has checked.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr().add(n), _mm256_permutevar8x32_ps(x, order.1));
            _mm256_storeu_si256(ids.as_mut_ptr().add(n).cast(), _mm256_permutevar8x32_epi32(id, order.1));
        }
        n += order.0.count_ones() as usize;
        id = _mm256_add_epi32(id, _mm256_set1_epi32(8));
    }
    let done = (xs.len() - rest.len()) as u32;
    n + scalar::logits::select(rest, from, first + done, &mut ids[n..], &mut out[n..])
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn bins(group: &Ranged<'_>, bins: &mut [u32; GROUP], weights: &mut [u64; GROUP]) {
    scalar::logits::bins(group, bins, weights);
}
