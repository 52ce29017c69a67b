//! e^x, sixteen numbers at a time: the operations of `scalar::exp` in the same order.

use std::arch::x86_64::*;

use crate::exp::{HIGHEST, LN2_HI, LN2_LO, LOG2_E, LOWEST, MAGIC, Q};
use crate::scalar;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn exp16(x: __m512) -> __m512 {
    // min_ps gives its second operand for NaN, as the comparison in the specification does.
    let clamped = _mm512_min_ps(_mm512_set1_ps(HIGHEST), x);
    let magic = _mm512_set1_ps(MAGIC);
    let shifted = _mm512_fmadd_ps(clamped, _mm512_set1_ps(LOG2_E), magic);
    let n = _mm512_sub_ps(shifted, magic);
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_HI), clamped);
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_LO), r);
    let mut q = _mm512_set1_ps(Q[5]);
    for i in (0..5).rev() {
        q = _mm512_fmadd_ps(q, r, _mm512_set1_ps(Q[i]));
    }
    let p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), q, r);
    let y = _mm512_add_ps(_mm512_set1_ps(1.0), p);
    let bits = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted));
    let two_to_n = _mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(0x3f80_0000)));
    // Not less than: NaN stays.
    let high_enough = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x, _mm512_set1_ps(LOWEST));
    _mm512_maskz_mul_ps(high_enough, y, two_to_n)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn exp_slice(x: &mut [f32]) {
    let (sixteens, rest) = x.as_chunks_mut::<16>();
    for sixteen in sixteens {
        // SAFETY: `sixteen` is sixteen f32, and unaligned loads and stores are used.
        unsafe { _mm512_storeu_ps(sixteen.as_mut_ptr(), exp16(_mm512_loadu_ps(sixteen.as_ptr()))) };
    }
    scalar::exp::exp_slice(rest);
}
