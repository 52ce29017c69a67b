//! e^x, eight numbers at a time: the operations of `scalar::exp` in the same order.

use std::arch::x86_64::*;

use crate::exp::{HIGHEST, LN2_HI, LN2_LO, LOG2_E, LOWEST, MAGIC, Q};
use crate::scalar;

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn exp8(x: __m256) -> __m256 {
    // min_ps gives its second operand for NaN, as the comparison in the specification does.
    let clamped = _mm256_min_ps(_mm256_set1_ps(HIGHEST), x);
    let magic = _mm256_set1_ps(MAGIC);
    let shifted = _mm256_fmadd_ps(clamped, _mm256_set1_ps(LOG2_E), magic);
    let n = _mm256_sub_ps(shifted, magic);
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(-LN2_HI), clamped);
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(-LN2_LO), r);
    let mut q = _mm256_set1_ps(Q[5]);
    for i in (0..5).rev() {
        q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(Q[i]));
    }
    let p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), q, r);
    let y = _mm256_add_ps(_mm256_set1_ps(1.0), p);
    let bits = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted));
    let two_to_n = _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(0x3f80_0000)));
    let too_low = _mm256_cmp_ps::<_CMP_LT_OQ>(x, _mm256_set1_ps(LOWEST));
    _mm256_andnot_ps(too_low, _mm256_mul_ps(y, two_to_n))
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn exp_slice(x: &mut [f32]) {
    let (eights, rest) = x.as_chunks_mut::<8>();
    for eight in eights {
        // SAFETY: `eight` is eight f32, and unaligned loads and stores are used.
        unsafe { _mm256_storeu_ps(eight.as_mut_ptr(), exp8(_mm256_loadu_ps(eight.as_ptr()))) };
    }
    scalar::exp::exp_slice(rest);
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn weights(logits: &[f32], max: f32, beta: f32, weights: &mut [u64]) -> u64 {
    let (eights, rest) = logits.as_chunks::<8>();
    let (weight_eights, weight_rest) = weights.as_chunks_mut::<8>();
    let mut sum = _mm256_setzero_si256();
    for (eight, out) in eights.iter().zip(weight_eights) {
        // SAFETY: `eight` is eight f32, and the load is unaligned.
        let x = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
        let d = _mm256_mul_ps(_mm256_sub_ps(x, _mm256_set1_ps(max)), _mm256_set1_ps(beta));
        let y = exp8(d);
        let low = to_weights(_mm256_castps256_ps128(y));
        let high = to_weights(_mm256_extractf128_ps::<1>(y));
        sum = _mm256_add_epi64(sum, _mm256_add_epi64(low, high));
        // SAFETY: `out` is eight u64, two unaligned vectors of four.
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), low);
            _mm256_storeu_si256(out.as_mut_ptr().add(4).cast(), high);
        }
    }
    let mut lanes = [0u64; 4];
    // SAFETY: `lanes` is four u64.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    lanes.iter().sum::<u64>() + scalar::exp::weights(rest, max, beta, weight_rest)
}

/// round(2^45 · y) for y in [0, 1]: adding 2^52 to the f64 leaves the rounded integer in the low bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn to_weights(y: __m128) -> __m256i {
    let scaled = _mm256_mul_pd(_mm256_cvtps_pd(y), _mm256_set1_pd((1u64 << 45) as f64));
    let magic = _mm256_set1_pd((1u64 << 52) as f64);
    _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(scaled, magic)), _mm256_castpd_si256(magic))
}
