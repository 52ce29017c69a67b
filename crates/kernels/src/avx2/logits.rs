//! The loops over a row of logits: the text of `scalar::logits` compiled for AVX2, but for the
//! first look, in which a compiler doesn't see how to keep the maxima of groups in vectors.

use std::arch::x86_64::*;

use crate::logits::{Bin, Bound, FLOOR, GROUP, Line, Near, Scan, Sums, WHOLE};
use crate::scalar;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
    let (groups, rest) = xs.as_chunks::<GROUP>();
    let masked = _mm256_set1_ps(f32::NEG_INFINITY);
    let mut all = masked;
    let mut least = _mm256_set1_ps(f32::INFINITY);
    let mut nan = _mm256_setzero_ps();
    for (group, group_max) in groups.iter().zip(maxima.iter_mut()) {
        let (mut max, mut min) = (masked, _mm256_set1_ps(f32::INFINITY));
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
            min = _mm256_min_ps(min, _mm256_min_ps(x, y));
        }
        all = _mm256_max_ps(max, all);
        least = _mm256_min_ps(min, least);
        *group_max = largest(max);
    }
    let tail = scalar::logits::scan(rest, &mut maxima[groups.len()..]);
    let max = largest(all);
    let fine = _mm256_movemask_ps(nan) == 0 && max < f32::INFINITY;
    let min = -largest(_mm256_xor_ps(least, _mm256_set1_ps(-0.0)));
    Scan {
        max: if tail.max > max { tail.max } else { max },
        min: if tail.min < min { tail.min } else { min },
        fine: fine && tail.fine,
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn largest(x: __m256) -> f32 {
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

/// (x - max)·β - center without its sign, as `scalar::logits::distance`.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn distance(x: __m256, line: Line) -> __m256 {
    let d = _mm256_mul_ps(_mm256_sub_ps(x, _mm256_set1_ps(line.max)), _mm256_set1_ps(line.beta));
    // Gives its second operand for NaN.
    let d = _mm256_max_ps(d, _mm256_set1_ps(FLOOR));
    _mm256_andnot_ps(_mm256_set1_ps(-0.0), _mm256_sub_ps(d, _mm256_set1_ps(line.center)))
}

/// Which of eight tokens a bound admits.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn admitted(x: __m256, id: __m256i, bound: Bound) -> __m256 {
    let edge = _mm256_set1_ps(bound.x);
    // As signed numbers, once the highest bits are turned over.
    let turned = |id| _mm256_xor_si256(id, _mm256_set1_epi32(i32::MIN));
    let late = _mm256_cmpgt_epi32(turned(id), turned(_mm256_set1_epi32(bound.last() as i32)));
    let tied = _mm256_andnot_ps(_mm256_castsi256_ps(late), _mm256_cmp_ps::<_CMP_EQ_OQ>(x, edge));
    _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, edge), tied)
}

/// Writes the ids, and the logits if they're wanted, of those of `xs` that `keep` accepts; how many
/// there are, and how many logits it looked at.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn compress(
    xs: &[f32],
    first: u32,
    ids: &mut [u32],
    mut out: Option<&mut [f32]>,
    keep: impl Fn(__m256, __m256i) -> __m256,
) -> (usize, usize) {
    assert!(ids.len() >= xs.len() + 8 && out.as_ref().is_none_or(|out| out.len() >= xs.len() + 8));
    let eights = xs.as_chunks::<8>().0;
    let mut id = _mm256_add_epi32(_mm256_set1_epi32(first as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let mut n = 0;
    for eight in eights {
        // SAFETY: `eight` is eight f32.
        let x = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
        let kept = _mm256_movemask_ps(keep(x, id)) as usize;
        // SAFETY: a row of the table is eight u32; n is at most the number of logits before these,
        // and the outputs have room for all logits and eight more, as asserted. Loads and stores
        // are unaligned.
        unsafe {
            let order = _mm256_loadu_si256(TO_FRONT[kept].as_ptr().cast());
            _mm256_storeu_si256(ids.as_mut_ptr().add(n).cast(), _mm256_permutevar8x32_epi32(id, order));
            if let Some(out) = &mut out {
                _mm256_storeu_ps(out.as_mut_ptr().add(n), _mm256_permutevar8x32_ps(x, order));
            }
        }
        n += kept.count_ones() as usize;
        id = _mm256_add_epi32(id, _mm256_set1_epi32(8));
    }
    (n, 8 * eights.len())
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn select(xs: &[f32], bound: Bound, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (n, done) = if bound.last() == u32::MAX {
        let edge = _mm256_set1_ps(bound.x);
        compress(xs, first, ids, Some(&mut *out), |x, _| _mm256_cmp_ps::<_CMP_GE_OQ>(x, edge))
    } else {
        compress(xs, first, ids, Some(&mut *out), |x, id| admitted(x, id, bound))
    };
    n + scalar::logits::select(&xs[done..], bound, first + done as u32, &mut ids[n..], &mut out[n..])
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn select_near(xs: &[f32], near: &Near, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (from, reach) = (_mm256_set1_ps(near.from), _mm256_set1_ps(near.reach));
    let (n, done) = compress(xs, first, ids, Some(&mut *out), |x, id| {
        let distance = distance(x, near.line);
        let tied = _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(distance, reach), admitted(x, id, near.last));
        let near = _mm256_or_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(distance, reach), tied);
        _mm256_and_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(x, from), near)
    });
    n + scalar::logits::select_near(&xs[done..], near, first + done as u32, &mut ids[n..], &mut out[n..])
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn select_bin(xs: &[f32], line: Line, bin: Bin, first: u32, ids: &mut [u32]) -> usize {
    let (last, whole) = (_mm256_set1_ps(bin.last as f32), _mm256_set1_ps(WHOLE));
    let number = _mm256_set1_epi32((bin.number + WHOLE.to_bits()) as i32);
    let (n, done) = compress(xs, first, ids, None, |x, _| {
        let distance = _mm256_mul_ps(distance(x, line), _mm256_set1_ps(64.0));
        let place = _mm256_add_ps(_mm256_min_ps(distance, last), whole);
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_castps_si256(place), number))
    });
    n + scalar::logits::select_bin(&xs[done..], line, bin, first + done as u32, &mut ids[n..])
}

#[target_feature(enable = "avx2,fma,f16c")]
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
