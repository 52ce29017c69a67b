//! The loops over a row of logits: the text of `scalar::logits` compiled for AVX-512, and survivors
//! gathered sixteen at a time.

use std::arch::x86_64::*;

use crate::avx2::logits::largest;
use crate::logits::{Bin, Bound, FLOOR, GROUP, Line, Near, Scan, Sums, WHOLE};
use crate::scalar;

/// As `avx2::logits::scan`, a group in four vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
    let (groups, rest) = xs.as_chunks::<GROUP>();
    let mut all = _mm512_set1_ps(f32::NEG_INFINITY);
    let mut least = _mm512_set1_ps(f32::INFINITY);
    let mut nan = 0;
    for (group, group_max) in groups.iter().zip(maxima.iter_mut()) {
        // SAFETY: a group is four vectors of sixteen f32, and the loads are unaligned.
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| unsafe { _mm512_loadu_ps(group.as_ptr().add(16 * i)) });
        // Unordered if either is NaN; of no matter after that.
        nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(c, d);
        let max = _mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d));
        let min = _mm512_min_ps(_mm512_min_ps(a, b), _mm512_min_ps(c, d));
        all = _mm512_max_ps(max, all);
        least = _mm512_min_ps(min, least);
        *group_max = largest(_mm256_max_ps(_mm512_castps512_ps256(max), _mm512_extractf32x8_ps::<1>(max)));
    }
    let tail = scalar::logits::scan(rest, &mut maxima[groups.len()..]);
    let (max, min) = (_mm512_reduce_max_ps(all), _mm512_reduce_min_ps(least));
    Scan {
        max: if tail.max > max { tail.max } else { max },
        min: if tail.min < min { tail.min } else { min },
        fine: nan == 0 && max < f32::INFINITY && tail.fine,
    }
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

/// (x - max)·β - center without its sign, as `scalar::logits::distance`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn distance(x: __m512, line: Line) -> __m512 {
    let d = _mm512_mul_ps(_mm512_sub_ps(x, _mm512_set1_ps(line.max)), _mm512_set1_ps(line.beta));
    // Gives its second operand for NaN.
    let d = _mm512_max_ps(d, _mm512_set1_ps(FLOOR));
    _mm512_abs_ps(_mm512_sub_ps(d, _mm512_set1_ps(line.center)))
}

/// Which of sixteen tokens a bound admits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn admitted(x: __m512, id: __m512i, bound: Bound) -> __mmask16 {
    let edge = _mm512_set1_ps(bound.x);
    let tied = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(x, edge);
    _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, edge)
        | _mm512_mask_cmple_epu32_mask(tied, id, _mm512_set1_epi32(bound.last() as i32))
}

/// Writes the ids, and the logits if they're wanted, of those of `xs` that `keep` accepts; how many
/// there are, and how many logits it looked at.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn compress(
    xs: &[f32],
    first: u32,
    ids: &mut [u32],
    mut out: Option<&mut [f32]>,
    keep: impl Fn(__m512, __m512i) -> __mmask16,
) -> (usize, usize) {
    assert!(ids.len() >= xs.len() + 16 && out.as_ref().is_none_or(|out| out.len() >= xs.len() + 16));
    let sixteens = xs.as_chunks::<16>().0;
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut id = _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes);
    let mut n = 0;
    for sixteen in sixteens {
        // SAFETY: `sixteen` is sixteen f32.
        let x = unsafe { _mm512_loadu_ps(sixteen.as_ptr()) };
        let kept = keep(x, id);
        // SAFETY: n is at most the number of logits before these, and the outputs have room for all
        // logits and sixteen more, as asserted. Stores are unaligned.
        unsafe {
            _mm512_storeu_si512(ids.as_mut_ptr().add(n).cast(), _mm512_maskz_compress_epi32(kept, id));
            if let Some(out) = &mut out {
                _mm512_storeu_ps(out.as_mut_ptr().add(n), _mm512_maskz_compress_ps(kept, x));
            }
        }
        n += kept.count_ones() as usize;
        id = _mm512_add_epi32(id, _mm512_set1_epi32(16));
    }
    (n, 16 * sixteens.len())
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select(xs: &[f32], bound: Bound, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (n, done) = if bound.last() == u32::MAX {
        let edge = _mm512_set1_ps(bound.x);
        compress(xs, first, ids, Some(&mut *out), |x, _| _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x, edge))
    } else {
        compress(xs, first, ids, Some(&mut *out), |x, id| admitted(x, id, bound))
    };
    n + scalar::logits::select(&xs[done..], bound, first + done as u32, &mut ids[n..], &mut out[n..])
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select_near(xs: &[f32], near: &Near, first: u32, ids: &mut [u32], out: &mut [f32]) -> usize {
    let (from, reach) = (_mm512_set1_ps(near.from), _mm512_set1_ps(near.reach));
    let (n, done) = compress(xs, first, ids, Some(&mut *out), |x, id| {
        let distance = distance(x, near.line);
        let tied = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(distance, reach) & admitted(x, id, near.last);
        _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x, from) & (_mm512_cmp_ps_mask::<_CMP_LT_OQ>(distance, reach) | tied)
    });
    n + scalar::logits::select_near(&xs[done..], near, first + done as u32, &mut ids[n..], &mut out[n..])
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn select_bin(xs: &[f32], line: Line, bin: Bin, first: u32, ids: &mut [u32]) -> usize {
    let (last, whole) = (_mm512_set1_ps(bin.last as f32), _mm512_set1_ps(WHOLE));
    let number = _mm512_set1_epi32((bin.number + WHOLE.to_bits()) as i32);
    let (n, done) = compress(xs, first, ids, None, |x, _| {
        let distance = _mm512_mul_ps(distance(x, line), _mm512_set1_ps(64.0));
        let place = _mm512_add_ps(_mm512_min_ps(distance, last), whole);
        _mm512_cmpeq_epi32_mask(_mm512_castps_si512(place), number)
    });
    n + scalar::logits::select_bin(&xs[done..], line, bin, first + done as u32, &mut ids[n..])
}
