//! Multiplications and additions of bytes in registers, as the products of matrices make them, with no memory in sight.

use std::arch::x86_64::*;

use crate::limit::CHAINS;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    let codes: [__m256i; CHAINS] = std::array::from_fn(|c| _mm256_set1_epi8((start + c as u8) as i8));
    let mut sums = [_mm256_setzero_si256(); CHAINS];
    let (mut q, ones) = (_mm256_set1_epi8(0), _mm256_set1_epi16(1));
    for _ in 0..rounds {
        // Other bytes in every round, so that no product can be kept from the last one.
        q = _mm256_add_epi8(q, _mm256_set1_epi8(1));
        for c in 0..CHAINS {
            let pairs = _mm256_maddubs_epi16(codes[c], q);
            sums[c] = _mm256_add_epi32(sums[c], _mm256_madd_epi16(pairs, ones));
        }
    }
    let mut total = 0i32;
    for sum in sums {
        let mut lanes = [0i32; 8];
        // SAFETY: `lanes` is eight i32.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
        total = lanes.iter().fold(total, |total, lane| total.wrapping_add(*lane));
    }
    total
}
