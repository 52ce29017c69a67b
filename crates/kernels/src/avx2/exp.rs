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
